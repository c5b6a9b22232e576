/** `ws` as it is when nothing is asked of it. */
import { drive } from '../support/drive.ts'
import { connectWith } from '../support/ws.ts'

await drive('ws-default', connectWith({}))
