/**
 * The page's files over HTTP. A fixed table, so no request can name a file outside of it; a policy that lets the page
 * load from here and from nowhere else, and run no script that stands in the markup.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** As seen from here, and from where the package has the built form of this file. */
const FOLDER = new URL('../../examples/chat/public/', import.meta.url)

const HTML = 'text/html; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

const FILES: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ['/', ['index.html', HTML]],
  ['/style.css', ['style.css', 'text/css; charset=utf-8']],
  ['/icon.svg', ['icon.svg', 'image/svg+xml']],
  ['/chat.js', ['chat.js', SCRIPT]],
  ['/composer.js', ['composer.js', SCRIPT]],
  ['/parts.js', ['parts.js', SCRIPT]],
  ['/link.js', ['link.js', SCRIPT]],
  ['/talk.js', ['talk.js', SCRIPT]],
  ['/view.js', ['view.js', SCRIPT]],
  ['/log.js', ['log.js', SCRIPT]],
  ['/pictures.js', ['pictures.js', SCRIPT]],
])

const POLICY =
  "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const SAFETY = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** The listener of the `http.Server`. */
export async function serveFiles(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/'] = (request.url ?? '/').split('?')
  const entry = FILES.get(path)
  const known = request.method === 'GET' || request.method === 'HEAD'
  if (entry === undefined || !known) {
    const headers = { ...SAFETY, 'content-type': 'text/plain; charset=utf-8', ...(known ? {} : { allow: 'GET, HEAD' }) }
    response.writeHead(known ? 404 : 405, headers).end(known ? 'There is nothing here.\n' : 'Only GET and HEAD.\n')
    return
  }
  const [file, type] = entry
  try {
    const body = await readFile(new URL(file, FOLDER))
    response.writeHead(200, { ...SAFETY, 'content-type': type, 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
  } catch {
    response.writeHead(500, SAFETY).end()
  }
}
