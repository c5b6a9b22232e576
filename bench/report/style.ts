/** How the charts look: ink on a white ground, lines that keep in the background, and fonts that every system has some of. */

export const INK = '#1f2328'
/** Without quotes: it stands in an attribute that has some. */
const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'
const FAINT = '#59636e'
const LINES = '#d8dee4'

/** The names of lines, below the titles. */
export const LEGEND: object = {
  top: 52,
  left: 16,
  itemHeight: 9,
  itemGap: 28,
  textStyle: { color: INK, fontFamily: FONT, fontSize: 13 },
}

export function frame(title: string, subtitle: string): object {
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    title: {
      text: title,
      subtext: subtitle,
      left: 16,
      top: 12,
      itemGap: 6,
      textStyle: { color: INK, fontSize: 16, fontFamily: FONT },
      subtextStyle: { color: FAINT, fontSize: 12, fontFamily: FONT },
    },
  }
}

export function axis(): object {
  return {
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: FAINT, fontSize: 12, fontFamily: FONT },
    splitLine: { show: true, lineStyle: { color: LINES } },
  }
}

/** From top to bottom, as the tables are. */
export function names(labels: readonly string[], width: number): object {
  return {
    type: 'category',
    inverse: true,
    data: labels,
    axisLine: { show: true, lineStyle: { color: LINES } },
    axisTick: { show: false },
    axisLabel: { color: INK, fontSize: 12, fontFamily: FONT, width, overflow: 'truncate', interval: 0 },
  }
}

export function valueLabel(): object {
  return { show: true, position: 'right', color: INK, fontSize: 13, fontFamily: FONT }
}
