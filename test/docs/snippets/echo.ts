// #region echo
import { serve } from 'fullduplex'

const server = await serve({ port: 8080, message: (ws, data) => ws.send(data) })
console.log(server.url) // ws://localhost:8080
// #endregion
