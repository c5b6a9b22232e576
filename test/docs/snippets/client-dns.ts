import { seen } from '../context.ts'
// #region client-dns
import { connect } from 'fullduplex'

const ws = await connect('ws://chat.example:8080', {
  family: 4,
  localAddress: '127.0.0.1',
  lookup(hostname, options, callback) {
    seen.push(hostname)
    if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  },
})
// #endregion
await ws.close()
