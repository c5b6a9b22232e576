/** Lists of the project that are files of cells between tabs, under a line with the names of the columns. */

/**
 * What `parseRow` makes of the cells of each line of `text`, which is the file `path`. A sentence instead of a row goes to `problems`,
 * with the line's number, and so does a line with too few or too many cells.
 */
export function parseTable<Row extends object>(
  path: string,
  text: string,
  columns: readonly string[],
  parseRow: (cells: readonly string[]) => Row | string,
  problems: string[],
): Row[] {
  const [header, ...lines] = text.replace(/\n+$/, '').split('\n')
  if (header !== columns.join('\t')) problems.push(`${path}:1: the columns must be ${columns.join(', ')}`)
  const rows: Row[] = []
  for (const [index, line] of lines.entries()) {
    const cells = line.split('\t')
    const row = cells.length === columns.length ? parseRow(cells) : `${cells.length} cells instead of ${columns.length}`
    if (typeof row === 'string') problems.push(`${path}:${index + 2}: ${row}`)
    else rows.push(row)
  }
  return rows
}

export function isOneOf<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text)
}
