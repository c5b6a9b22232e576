/** The library of this project as it is built: that of FULLDUPLEX_DIST, a folder, or else of this checkout. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type * as Fullduplex from 'fullduplex'
import { keepBusy } from './traffic.ts'

const folder = process.env['FULLDUPLEX_DIST'] ?? fileURLToPath(new URL('../../../dist', import.meta.url))
const { connect } = (await import(pathToFileURL(join(folder, 'index.js')).href)) as typeof Fullduplex

keepBusy((url, opened, message) => {
  void connect(url, { message }).then(opened)
})
