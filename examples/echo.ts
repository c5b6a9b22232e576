/**
 * A server and a client that say one thing to each other. `npm run package` runs it from the packed package, in every module
 * system.
 */
import { connect, serve } from 'fullduplex'

async function main(): Promise<void> {
  // Whichever way the package is asked for, it is there once.
  const again = await import('fullduplex')
  if (again.serve !== serve) throw new Error('import() gives another package than import or require')

  const server = await serve({ port: 0, message: (ws, data) => ws.send(data) })
  const ws = await connect(server.url)
  ws.send('ok')
  for await (const message of ws) {
    console.log(message)
    await ws.close(1000)
  }
  await server.shutdown()
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
