/** Charts to pictures: SVG by echarts, without a browser. The same chart gives the same bytes. */
import { init } from 'echarts'
import type { Chart } from './charts.ts'

/** What shows the chart's ground as something of its own on any page. */
const GROUND = '#ffffff'
const EDGE = '#d0d7de'

export function draw({ title, description, width, height, option }: Chart): string {
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    drawing.setOption(option)
    return labelled(drawing.renderToSVGString(), { title, description, width, height })
  } finally {
    drawing.dispose()
  }
}

/** With a name, a description and a ground; without what a pointer would do to it, which counts the drawings of this process. */
function labelled(svg: string, { title, description, width, height }: Omit<Chart, 'file' | 'option'>): string {
  const head = `<title id="title">${escape(title)}</title>\n<desc id="description">${escape(description)}</desc>`
  const ground = `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6" fill="${GROUND}" stroke="${EDGE}"></rect>`
  return `${svg
    .replace(/^<svg /, '<svg role="img" aria-labelledby="title description" ')
    .replace(/<rect [^>]*fill="none"><\/rect>/, `${head}\n${ground}`)
    .replaceAll(/ (?:class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="visible")/g, '')
    .replace(/<style *>[^]*?<\/style>\n/, '')
    .replaceAll(/\bzr\d+-/g, 'zr-')
    .trimEnd()}\n`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
