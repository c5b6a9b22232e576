import { sessions } from '../context.ts'
import type { User } from '../context.ts'
import { cert, key } from '../tls.ts'
// #region upgrade
import { serve } from 'fullduplex'

await serve<{ user: User }>({
  port: 8443,
  tls: { key, cert },
  origins: ['https://app.example'],
  protocols: ['chat.v2'],
  async upgrade(request, { signal }) {
    // The signal aborts when the client goes away, or the handshake takes too long.
    const user = await sessions.find(request.cookies.get('sid'), { signal })
    return user
      ? { data: { user }, headers: { 'set-cookie': 'seen=1' } }
      : { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: 'log in first' }
  },
  message: (ws) => ws.send(`you are user ${ws.data.user.id}`),
})
// #endregion
