// #region conformance-driver
import { connect } from 'fullduplex'
import type { Connection } from 'fullduplex'

const kit = 'ws://localhost:9001'

async function visit(path: string, message: (ws: Connection, data: string | Buffer) => void): Promise<void> {
  const ws = await connect(`${kit}${path}`, { message }).catch(() => undefined) // some cases refuse to open
  await ws?.closed
}

let count = 0
await visit('/getCaseCount', (_, data) => (count = Number(data)))
for (let n = 1; n <= count; n++) {
  await visit(`/runCase?case=${n}&agent=example`, (ws, data) => ws.send(data))
}
await visit('/updateReports?agent=example', () => {})
// #endregion
