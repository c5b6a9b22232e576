// #region seeing-tap
import { serve } from 'fullduplex'
import { hexDump } from 'fullduplex/tap'

const server = await serve({ port: 8080, message: (ws, data) => ws.send(data) })
const remove = server.tap(hexDump(process.stderr), { maxPayload: 256 })
// #endregion

export { remove }
