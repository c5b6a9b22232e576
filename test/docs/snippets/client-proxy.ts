import { ca } from '../tls.ts'
import { seen } from '../context.ts'
// #region client-proxy
import { connect } from 'fullduplex'

// Credentials for the proxy stand in its URL, percent-encoded; the server never sees them.
const one = await connect('wss://localhost:8443', { proxy: 'http://user:p%40ss@localhost:3128', tls: { ca } })

// TLS to the proxy, and TLS to the server in the tunnel: each is verified by itself.
const other = await connect('wss://localhost:8443', {
  proxy: { url: 'https://localhost:3129', tls: { ca }, headers: { 'user-agent': 'chat/2' } },
  tls: { ca },
})

// What https_proxy, http_proxy, all_proxy and no_proxy say. Nothing reads them unless it is asked to.
const third = await connect('wss://localhost:8443', { proxy: 'environment', tls: { ca } })
// #endregion
for (const ws of [one, other, third]) {
  seen.push(ws.url.slice(0, 15))
  await ws.close()
}
