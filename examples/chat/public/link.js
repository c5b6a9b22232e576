/**
 * A WebSocket that comes back. It tells its state in words that people understand:
 * `connecting`, `online`, `waiting` (for `seconds` until the next attempt), `offline` (it has given up, or was told to).
 *
 * Attempts are spread by truncated exponential backoff with jitter (RFC 6455 7.2.3), so that a server that has just come
 * back is not run over by everybody at once.
 */
const SHORTEST_WAIT = 1_000
const LONGEST_WAIT = 30_000
/** A connection that held for so long was a good one: the next wait is short again. */
const STEADY_AFTER = 10_000
/** The server's own close code: this name was opened in another window. Coming back would throw that window out. */
const OPENED_ELSEWHERE = 4001

/** `on` has `open()`, `message(data)`, `close(code)` and `state(state, seconds)`. */
export function createLink(url, on) {
  let socket
  let attempts = 0
  let onlineSince = Infinity
  let retryAt = 0
  let seconds = 0
  let timer

  function open() {
    forget()
    socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', opened)
    socket.addEventListener('message', received)
    socket.addEventListener('close', closed)
    on.state('connecting')
  }

  function opened() {
    on.open()
  }

  function received({ data }) {
    on.message(data)
  }

  function closed({ code }) {
    forget()
    if (Date.now() - onlineSince > STEADY_AFTER) attempts = 0
    onlineSince = Infinity
    on.close(code)
    if (code === OPENED_ELSEWHERE) {
      on.state('offline')
      return
    }
    const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** attempts++)
    retryAt = Date.now() + wait * (0.5 + Math.random() / 2)
    count()
    timer = setInterval(count, 250)
  }

  function count() {
    const left = Math.ceil((retryAt - Date.now()) / 1000)
    if (left <= 0) {
      open()
    } else if (left !== seconds) {
      seconds = left
      on.state('waiting', seconds)
    }
  }

  /** From now on nothing that the socket does is of interest. */
  function forget() {
    clearInterval(timer)
    timer = undefined
    seconds = 0
    socket?.removeEventListener('open', opened)
    socket?.removeEventListener('message', received)
    socket?.removeEventListener('close', closed)
    socket = undefined
  }

  function isOpen() {
    return socket?.readyState === WebSocket.OPEN
  }

  function retryNow() {
    if (timer !== undefined) open()
  }

  // A phone that has found its network again, or a page that is looked at again, does not wait for the rest of the time.
  addEventListener('online', retryNow)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && retryNow())

  return {
    open,
    isOpen,
    /** True while bytes of ours have not left yet. */
    isSending: () => isOpen() && socket.bufferedAmount > 0,
    send(data) {
      if (isOpen()) socket.send(data)
    },
    /** The server has let us in: only now is the link of use. */
    confirm() {
      onlineSince = Date.now()
      on.state('online')
    },
    /** Gives up a connection that answers no more, without waiting for its goodbye. */
    renew() {
      const old = socket
      closed({ code: 1006 })
      old.close()
    },
    close() {
      const old = socket
      forget()
      old?.close(1000)
      on.state('offline')
    },
  }
}
