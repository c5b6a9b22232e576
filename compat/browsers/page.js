/**
 * The browser's own WebSocket against the server that this page comes from, which does what `echo.ts` says. What came of
 * each check stands on the page, and in `globalThis.results`, a promise.
 */

const TEXT = 'Grüße, 世界, 🌍'
const MiB = 1024 * 1024
/** Milliseconds for each check. */
const LIMIT = 20_000
const base = location.origin.replace(/^http/, 'ws')

const checks = {
  async text() {
    const link = await Link.open('/')
    for (const text of [TEXT, '', 'x'.repeat(125), 'x'.repeat(126)]) same(await link.ask(text), text)
    await link.end()
  },

  async 'binary, as ArrayBuffer'() {
    const link = await Link.open('/')
    link.socket.binaryType = 'arraybuffer'
    const octets = Uint8Array.from({ length: 256 }, (_, value) => value)
    same(new Uint8Array(await link.ask(octets.buffer)), octets)
    same(new Uint8Array(await link.ask(octets.subarray(3, 9))), octets.subarray(3, 9))
    same((await link.ask(new ArrayBuffer(0))).byteLength, 0)
    await link.end()
  },

  async 'binary, as Blob'() {
    const link = await Link.open('/')
    const answer = await link.ask(new Blob(['some ', 'octets']))
    same(answer instanceof Blob, true)
    same(await answer.text(), 'some octets')
    await link.end()
  },

  async '1 MiB'() {
    const link = await Link.open('/')
    link.socket.binaryType = 'arraybuffer'
    const octets = random(MiB)
    same(new Uint8Array(await link.ask(octets)), octets)
    const text = TEXT.repeat(MiB / 32)
    same(await link.ask(text), text)
    await link.end()
  },

  async '1,000 messages at once, in order'() {
    const link = await Link.open('/')
    const texts = Array.from({ length: 1000 }, (_, index) => `message ${index}`)
    for (const text of texts) link.socket.send(text)
    for (const text of texts) same(await link.next(), text)
    await link.end()
  },

  async 'fragments from the server'() {
    const link = await Link.open('/')
    same(await link.ask('!fragments 10000'), 'x'.repeat(10_000))
    await link.end()
  },

  compression: () => echoesCompressed('/'),

  'compression with context': () => echoesCompressed('/context'),

  async 'a subprotocol'() {
    const link = await Link.open('/', ['unknown', 'chat.v2'])
    same(link.socket.protocol, 'chat.v2')
    await link.end()
  },

  async 'a Ping from the server'() {
    const link = await Link.open('/')
    same(await link.ask('!ping hello'), 'pong hello')
    await link.end()
  },

  async 'a close from the page'() {
    same(await endOf((socket) => socket.close(4001, 'enough')), { code: 4001, reason: 'enough', wasClean: true })
    same(await endOf((socket) => socket.close(1000)), { code: 1000, reason: '', wasClean: true })
    same(await endOf((socket) => socket.close()), { code: 1005, reason: '', wasClean: true })
  },

  async 'a close from the server'() {
    const link = await Link.open('/')
    link.socket.send('!close 4002 so long')
    const { code, reason, wasClean } = await link.closed
    same([code, reason, wasClean], [4002, 'so long', true])
  },

  async 'the end of TCP, without a closing handshake'() {
    const link = await Link.open('/')
    link.socket.send('!terminate')
    const { code, wasClean } = await link.closed
    same([code, wasClean], [1006, false])
  },

  async 'the page goes away (1001)'() {
    const frame = document.createElement('iframe')
    frame.src = 'frame.html'
    const id = String(Math.random())
    frame.name = id
    const open = new Promise((resolve) => addEventListener('message', resolve, { once: true }))
    document.body.append(frame)
    await open
    frame.remove()
    same((await toldEnd(id)).code, 1001)
  },

  async 'a refused handshake'() {
    const { code, wasClean } = await refusal(`${base}/refused`)
    same([code, wasClean], [1006, false])
  },

  async 'the page of another origin is refused'() {
    // Another name of the same server.
    await refusal(base.replace('127.0.0.1', 'localhost'))
    const link = await Link.open('/')
    same(JSON.parse(await link.ask('!refusals')).includes(location.origin), true)
    same(JSON.parse(await link.ask('!request')).origin, location.origin)
    await link.end()
  },

  async '100 connections at once'() {
    const links = await Promise.all(Array.from({ length: 100 }, () => Link.open('/')))
    const answers = await Promise.all(links.map((link, index) => link.ask(`connection ${index}`)))
    for (const [index, answer] of answers.entries()) same(answer, `connection ${index}`)
    await Promise.all(links.map((link) => link.end()))
  },
}

class Link {
  messages = []
  #wake = () => {}

  constructor(socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    socket.addEventListener('message', ({ data }) => {
      this.messages.push(data)
      this.#wake()
    })
  }

  static async open(path, protocols = []) {
    const socket = new WebSocket(base + path, protocols)
    const link = new Link(socket)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('close', ({ code }) => reject(new Error(`it did not open: ${code}`)))
    })
    return link
  }

  async next() {
    while (this.messages.length === 0) await new Promise((resolve) => (this.#wake = resolve))
    return this.messages.shift()
  }

  ask(message) {
    this.socket.send(message)
    return this.next()
  }

  async end() {
    this.socket.close(1000)
    same((await this.closed).wasClean, true)
  }
}

async function echoesCompressed(path) {
  const link = await Link.open(path)
  same(link.socket.extensions.startsWith('permessage-deflate'), true)
  for (const size of [10, 100, 10_000, 50_000]) {
    const text = TEXT.repeat(size)
    same(await link.ask(text), text)
  }
  await link.end()
}

/** How the server saw a connection end. */
async function endOf(close) {
  const id = String(Math.random())
  const link = await Link.open(`/?id=${id}`)
  close(link.socket)
  same((await link.closed).wasClean, true)
  const { code, reason, wasClean } = await toldEnd(id)
  return { code, reason, wasClean }
}

async function toldEnd(id) {
  const witness = await Link.open('/')
  const end = JSON.parse(await witness.ask(`!closed ${id}`))
  await witness.end()
  return end
}

/** The close event of a connection that does not come about. */
function refusal(url) {
  const socket = new WebSocket(url)
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => reject(new Error('it opened')))
    socket.addEventListener('close', resolve)
  })
}

function random(length) {
  const octets = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(octets.subarray(at, at + 65_536))
  return octets
}

function same(actual, expected) {
  if (actual === expected) return
  const text = (value) => (ArrayBuffer.isView(value) ? [...value].join() : JSON.stringify(value))
  if (text(actual) !== text(expected)) {
    throw new Error(`${text(actual).slice(0, 100)} where ${text(expected).slice(0, 100)} was expected`)
  }
}

async function tryCheck(check, run) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${LIMIT / 1000} s`)), LIMIT)
  })
  try {
    await Promise.race([run(), late])
    return { check, outcome: 'passed' }
  } catch (error) {
    return { check, outcome: 'failed', note: error.message }
  } finally {
    clearTimeout(timer)
  }
}

async function tryAll() {
  const cells = []
  for (const [name, run] of Object.entries(checks)) {
    const cell = await tryCheck(name, run)
    cells.push(cell)
    const line = document.createElement('li')
    line.textContent = `${cell.outcome}: ${name} ${cell.note ?? ''}`
    document.querySelector('ul').append(line)
  }
  return cells
}

globalThis.results = tryAll()
