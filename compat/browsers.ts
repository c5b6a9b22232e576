/** `npm run compat:browsers`: the WebSocket of Chromium and Firefox against our server, over TCP and over TLS. */
import { readFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { Browser } from './browsers/browser.ts'
import { startChromium } from './browsers/chromium.ts'
import { startFirefox } from './browsers/firefox.ts'
import type { Stage } from './programs/stage.ts'
import { root, runMatrix } from './support/matrix.ts'
import type { ColumnPlan } from './support/matrix.ts'
import { ownStage } from './support/stage.ts'

let stage: Stage
const browsers = new Map<string, Promise<Browser>>()

await runMatrix({
  name: 'browsers',
  option: 'browsers',
  minutes: 5,
  help: `Loads a page from our server in each browser, over http: and over https:, which makes the checks from there. Chromium comes
from CHROMIUM_PATH or Debian's package chromium, Firefox from FIREFOX_PATH or firefox-esr. It takes a minute.`,
  columns: [
    columnOf('chromium', 'ws', startChromium),
    columnOf('chromium', 'wss', startChromium),
    columnOf('firefox', 'ws', startFirefox),
    columnOf('firefox', 'wss', startFirefox),
  ],
  async prepare() {
    const own = await ownStage('browsers', { page: await pages() })
    stage = own.stage
    return async () => {
      for (const browser of browsers.values()) await browser.then((one) => one.close()).catch(() => {})
      await own.end()
    }
  },
})
// Whatever hangs does not keep this program.
process.exit()

function columnOf(name: string, scheme: 'ws' | 'wss', start: () => Promise<Browser>): ColumnPlan {
  const started = (): Promise<Browser> => {
    const browser = browsers.get(name) ?? start()
    browsers.set(name, browser)
    return browser
  }
  return {
    id: `${name}-${scheme}`,
    choice: name,
    title: async () => `${(await started()).title}, \`${scheme}:\``,
    async run(wanted, report) {
      const cells = await (await started()).visit(`${stage[scheme].replace('ws', 'http')}/index.html`)
      for (const cell of cells) if (wanted(cell.check)) report(cell)
    },
  }
}

/** The files of `browsers`, by name. */
async function pages(): Promise<RequestListener> {
  const types = { 'index.html': 'text/html', 'frame.html': 'text/html', 'page.js': 'text/javascript' }
  const files = new Map<string, { type: string; text: string }>()
  for (const [name, type] of Object.entries(types)) {
    files.set(`/${name}`, { type, text: await readFile(join(root, 'compat/browsers', name), 'utf8') })
  }
  return (request, response) => {
    const file = files.get(request.url ?? '')
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': file.type }).end(file.text)
  }
}
