/** `ws`, without its limits on the fragments of a message and on pongs that wait; its client compresses by default. */
import { drive } from '../support/drive.ts'
import { connectWith, withoutLimits } from '../support/ws.ts'

await drive('ws', connectWith({ perMessageDeflate: true, ...withoutLimits }))
