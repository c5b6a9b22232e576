/** The little Markdown that the page is made of. */

/** Text that Markdown leaves as it is. */
export function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>|[\]]/g, '\\$&').replaceAll(/\s+/g, ' ')
}

export interface Column<Row> {
  readonly head: string
  /** A column that is empty in all rows is left out. */
  cell(row: Row): string
  readonly left?: boolean
}

/** A table of those columns that say something; numbers to the right. Empty without rows. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  if (rows.length === 0) return ''
  const shown = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ''))
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(shown.map(({ head }) => head)),
    line(shown.map(({ left = false }) => (left ? '---' : '--:'))),
    ...rows.map((row) => line(shown.map(({ cell }) => cell(row)))),
  ].join('\n')
}

/** A heading with what comes below it; nothing where nothing comes. */
export function section(heading: string, ...parts: readonly string[]): string {
  const body = parts.filter((part) => part !== '')
  return body.length === 0 ? '' : [heading, ...body].join('\n\n')
}

export function image(alt: string, file: string): string {
  return `![${plain(alt)}](images/${file})`
}
