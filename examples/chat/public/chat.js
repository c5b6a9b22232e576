/**
 * The chat in the browser: what comes over the link changes the talk, what the person does is said over the link.
 *
 * Everything that is said waits in the outbox until the server says it back. After a cut the page says hello under the
 * same name, joins its rooms again and sends the outbox once more; whatever had arrived already is shown once (talk.js).
 */
import { createComposer } from './composer.js'
import { createLink } from './link.js'
import { ask, closePanels } from './parts.js'
import { decodePicture, encodePicture } from './pictures.js'
import { LOBBY, Talk } from './talk.js'
import { createView } from './view.js'

const $ = (selector) => document.querySelector(selector)
/** So long may an answer take before the connection counts as dead. */
const PATIENCE = 15_000

const talk = new Talk()
const outbox = new Map()
const saved = restore()
let limits = { text: 4_000, picture: 4 * 1024 * 1024 - 4096 }
let inside = false
/** The room that the person asked for: it is shown as soon as the server lets them in. */
let wanted

const view = createView(talk, {
  enter,
  openPlace,
  openPrivate: (name) => openPlace(talk.private(name)),
  joinRoom,
  sendAgain: (message) => post(message),
})

const composer = createComposer({
  send: (content) => say(talk.current, content),
  limits: () => limits,
  problem: (sentence) => view.toast(sentence),
  isReady: () => talk.current !== undefined,
})

const link = createLink(new URL('/chat', location.href.replace(/^http/, 'ws')), {
  open: () => tell({ type: 'hello', name: saved.name, secret: saved.secret }),
  message: (data) => (typeof data === 'string' ? receive(JSON.parse(data)) : receivePicture(decodePicture(data))),
  close: lost,
  state: (state, seconds) => {
    view.showState(state, seconds)
    if (talk.me === '' && state === 'waiting') view.showJoin({ problem: 'The server does not answer. Trying again …' })
  },
})

function tell(command) {
  link.send(JSON.stringify(command))
}

// ---- What comes in

function receive(event) {
  switch (event.type) {
    case 'welcome':
      return welcome(event)
    case 'room':
      return entered(event)
    case 'parted':
      return left(event.room)
    case 'joined':
    case 'left':
      return cameOrWent(event)
    case 'people':
      return countPeople(event)
    case 'message':
      return show(talk.room(event.room), { kind: 'text', ...event })
    case 'whisper':
      return show(talk.private(event.from === talk.me ? event.to : event.from), { kind: 'text', ...event })
    case 'announcement':
      return announced(event)
    case 'error':
      return refused(event)
  }
}

function welcome(event) {
  inside = true
  limits = event.limits
  talk.me = event.name
  saved.name = event.name
  talk.rooms = new Map(event.rooms.map(({ room, people }) => [room, people]))
  for (const room of saved.rooms) tell({ type: 'join', room })
  for (const entry of outbox.values()) {
    entry.message.from = talk.me
    entry.since = Date.now()
    link.send(entry.payload)
  }
  link.confirm()
  if (talk.current !== undefined) view.showApp()
}

function entered({ room, people, history }) {
  const place = talk.room(room)
  const first = talk.current === undefined
  place.people = new Set(people)
  for (const event of history) show(place, { kind: 'text', ...event })
  remember([...saved.rooms.filter((name) => name !== room), room])
  if (first) {
    talk.current = place
    view.showApp()
  }
  if (first || wanted?.toLowerCase() === room.toLowerCase()) {
    wanted = undefined
    openPlace(place)
  }
  view.showFrame()
}

function left(room) {
  remember(saved.rooms.filter((name) => name !== room))
  closePlace(talk.room(room))
}

function cameOrWent({ type, room, name, at }) {
  const place = talk.room(room)
  if (type === 'joined') place.people.add(name)
  else place.people.delete(name)
  const [text, undoes] = type === 'joined' ? [`${name} joined`, `${name} left`] : [`${name} left`, `${name} joined`]
  const { added, removed } = talk.note(place, text, type === 'joined' ? undoes : undefined, at)
  if (place === talk.current && added !== undefined) view.addMessage(added)
  if (place === talk.current && removed !== undefined) view.removeMessage(removed)
  view.showFrame()
}

function countPeople({ room, people }) {
  if (people > 0) talk.rooms.set(room, people)
  else talk.rooms.delete(room)
  if (inside && talk.current !== undefined) view.showFrame()
}

/** An announcement stands in every place, so that it is seen wherever one is. */
function announced(event) {
  for (const place of talk.places.values()) {
    const unread = place.unread
    show(place, { kind: 'announcement', ...event })
    if (place.name !== LOBBY) place.unread = unread
  }
  view.showFrame()
}

function receivePicture({ header, bytes }) {
  const { id, from, to, room, alt, mime, at } = header
  const place = room === undefined ? talk.private(from === talk.me ? to : from) : talk.room(room)
  const known = place.messages.find((message) => message.id === id && message.from === from)
  const url = known?.url ?? URL.createObjectURL(new Blob([bytes], { type: mime }))
  show(place, { kind: 'picture', id, from, alt, at, url, name: `${alt || 'picture'}.${mime.slice('image/'.length)}` })
}

function show(place, event) {
  const { message, outcome, dropped } = talk.add(place, { ...event, delivery: 'sent' })
  if (outcome === 'known') return
  if (outcome === 'confirmed') {
    outbox.delete(message.id)
    delete message.bytes
  }
  for (const old of dropped) {
    view.removeMessage(old)
    release(old)
  }
  const seen = place === talk.current && !document.hidden
  if (outcome === 'added' && message.from !== talk.me && !seen) place.unread++
  if (place === talk.current) {
    view.addMessage(message)
    view.updateMessage(message)
  }
  if (talk.current !== undefined) view.showFrame()
}

/** A picture stays in memory as long as its address is known. */
function release(message) {
  if (message.url !== undefined) URL.revokeObjectURL(message.url)
}

function refused({ code, text, id, suggestion }) {
  wanted = undefined
  const entry = id === undefined ? undefined : outbox.get(id)
  if (entry !== undefined) fail(entry.message, text)
  else if (inside) view.toast(text)
  else if (code === 'name-taken' || code === 'bad-name') view.showJoin({ problem: `${text} `, suggestion })
  else view.showJoin({ problem: text })
}

function fail(message, problem) {
  outbox.delete(message.id)
  Object.assign(message, { delivery: 'failed', problem })
  view.updateMessage(message)
}

function lost(code) {
  inside = false
  if (code !== 1009) return
  // Message too big: sent again, it would cut the connection again.
  for (const { message } of outbox.values()) if (message.kind === 'picture') fail(message, 'the picture is too large.')
}

setInterval(() => {
  const [oldest] = outbox.values()
  if (inside && oldest !== undefined && !link.isSending() && Date.now() - oldest.since > PATIENCE) link.renew()
}, 1_000)

// ---- What goes out

function enter(name) {
  saved.name = name.trim()
  $('#name').value = saved.name
  if (saved.name === '') {
    view.showJoin({ problem: 'Please write a name.' })
    return
  }
  view.showJoin({ busy: true })
  if (link.isOpen()) tell({ type: 'hello', name: saved.name, secret: saved.secret })
  else link.open()
}

function say(place, content) {
  const message = talk.addPending(place, { id: newId(), to: place, ...content })
  post(message)
  if (place === talk.current) view.addMessage(message)
  view.showFrame()
}

/** Sends a message of ours, now or as soon as the link is back. */
function post(message) {
  message.delivery = 'pending'
  const payload = payloadOf(message)
  outbox.set(message.id, { payload, message, since: Date.now() })
  view.updateMessage(message)
  if (inside) link.send(payload)
}

function payloadOf({ kind, id, to, text, alt, bytes }) {
  const target = to.kind === 'room' ? { room: to.name } : { to: to.name }
  if (kind === 'announcement') return JSON.stringify({ type: 'announce', id, text })
  if (kind === 'picture') return encodePicture({ id, alt, ...target }, bytes)
  return JSON.stringify({ type: to.kind === 'room' ? 'say' : 'whisper', id, ...target, text })
}

function joinRoom(name) {
  const place = talk.find('room', name)
  if (place !== undefined) return openPlace(place)
  wanted = name
  askServer({ type: 'join', room: name })
}

/** What makes sense only now, unlike what waits in the outbox. */
function askServer(command) {
  if (inside) tell(command)
  else view.toast('The connection is lost: try it again when it is back.')
}

function openPlace(place) {
  const before = talk.current
  talk.current = place
  view.showPlace()
  composer.moveTo(place, before)
}

function closePlace(place) {
  talk.close(place)
  for (const message of place.messages) {
    outbox.delete(message.id)
    release(message)
  }
  if (talk.current === place) openPlace(talk.room(LOBBY))
  view.showFrame()
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (word) => word.toString(36)).join('')
}

/** A reload keeps the name and the rooms; another window is another person. */
function restore() {
  const secret = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
  return JSON.parse(sessionStorage.getItem('chat')) ?? { name: '', secret, rooms: [] }
}

function remember(rooms) {
  saved.rooms = rooms
  sessionStorage.setItem('chat', JSON.stringify(saved))
}

// ---- What the person does

$('#join-form').addEventListener('submit', (event) => {
  event.preventDefault()
  enter($('#name').value)
})
$('#new-room').addEventListener('click', async () => {
  const name = await ask('#room-dialog')
  if (name === undefined) return
  joinRoom(name)
  closePanels()
})
$('#announce').addEventListener('click', async () => {
  const text = await ask('#announce-dialog')
  if (text === undefined) return
  say(talk.current, { kind: 'announcement', text })
  closePanels()
})
$('#leave-room').addEventListener('click', () => {
  const place = talk.current
  if (place.kind === 'room') askServer({ type: 'leave', room: place.name })
  else closePlace(place)
})
$('#leave-chat').addEventListener('click', () => {
  link.close()
  sessionStorage.removeItem('chat')
  location.reload()
})
$('#retry').addEventListener('click', () => link.open())
document.addEventListener('visibilitychange', () => {
  if (document.hidden || talk.current === undefined) return
  talk.current.unread = 0
  view.showFrame()
})

if (saved.name === '') view.showJoin()
else enter(saved.name)
