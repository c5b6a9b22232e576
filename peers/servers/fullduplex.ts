/** The library of this project. Its limits are raised for the kit's largest messages. */
import { serve } from '../../src/index.ts'
import { LARGEST_MESSAGE, LARGEST_QUEUE, answer } from '../support/echo.ts'
import { announce, host, port } from '../support/listen.ts'

const server = await serve({
  host,
  port,
  maxMessageSize: LARGEST_MESSAGE,
  maxBufferedAmount: LARGEST_QUEUE,
  // With context in both directions, which is not the default, so that the cases about the window find one.
  perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
  message: (ws, data) => answer(ws, data),
})
announce(server.port ?? port)
