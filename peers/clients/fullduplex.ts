/** The library of this project. Its limits are raised for the kit's largest messages. */
import { connect } from '../../src/index.ts'
import { drive } from '../support/drive.ts'
import { LARGEST_MESSAGE, LARGEST_QUEUE } from '../support/echo.ts'

const options = {
  maxMessageSize: LARGEST_MESSAGE,
  maxBufferedAmount: LARGEST_QUEUE,
  // With context in both directions, which is not the default, so that the cases about the window find one.
  perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
}

await drive('fullduplex', (url, message) => {
  return new Promise((resolve) => {
    const opening = connect(url, { ...options, message, close: () => resolve() })
    // It did not open.
    opening.catch(() => resolve())
  })
})
