/** What the snippets use and do not show. */
import express from 'express'

export interface User {
  id: number
}

export const sessions = {
  async find(id: string | undefined, { signal }: { signal: AbortSignal }): Promise<User | undefined> {
    signal.throwIfAborted()
    await Promise.resolve()
    return id === 'valid' ? { id: 7 } : undefined
  },
}

export const app = express()
app.get('/', (_request, response) => {
  response.send('a page')
})

export const headers = { cookie: 'sid=valid' }
export const signal: AbortSignal = AbortSignal.timeout(60_000)

/** What the snippets saw. */
export const seen: unknown[] = []
