// #region routes
import { createHandler, serve } from 'fullduplex'

const server = await serve({
  port: 8080,
  routes: {
    '/chat': createHandler<{ name: string }>({
      upgrade: (request) => ({ data: { name: request.query.get('name') ?? 'anonymous' } }),
      message: (ws, text) => ws.send(`${ws.data.name}: ${String(text)}`),
    }),
    '/time': createHandler({ open: (ws) => ws.send(new Date().toISOString()) }),
  },
})
// #endregion
export { server }
