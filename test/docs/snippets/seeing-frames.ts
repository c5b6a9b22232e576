import { seen } from '../context.ts'

// #region seeing-frames
import { connect } from 'fullduplex'

const ws = await connect('ws://localhost:8080', { perMessageDeflate: true })
const remove = ws.tap(({ direction, opcode, rsv1, payloadLength }) => {
  seen.push(`${direction}: opcode ${opcode}, ${payloadLength} octets${rsv1 ? ', compressed' : ''}`)
})
ws.send('the same again and again '.repeat(100))
// #endregion

export { remove, ws }
