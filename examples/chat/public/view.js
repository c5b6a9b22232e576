/**
 * The page around the messages: lists, header, connection state, drawers, dialogs. It shows a `Talk` and tells `actions`
 * what the person does; it decides nothing.
 */
import { drawDelivery, drawMessage, group, icon, paintAvatar } from './log.js'
import { closePanels, syncList } from './parts.js'

const $ = (selector) => document.querySelector(selector)
const log = $('#log')
const elements = new WeakMap()

const STATES = {
  connecting: 'Connecting …',
  online: 'Online',
  waiting: 'Reconnecting',
  offline: 'Offline',
}

export function createView(talk, actions) {
  let following = true

  function showJoin({ problem = '', suggestion, busy = false } = {}) {
    $('#app').hidden = true
    $('#join').hidden = false
    const error = $('#join-error')
    if (error.textContent !== problem) error.replaceChildren(problem)
    $('#name').setAttribute('aria-invalid', String(problem !== ''))
    const button = $('#join-form button[type=submit]')
    button.disabled = busy
    button.textContent = busy ? 'Connecting …' : 'Join the chat'
    if (suggestion !== undefined) {
      const take = document.createElement('button')
      Object.assign(take, { type: 'button', className: 'suggestion', textContent: `Join as ${suggestion}` })
      take.addEventListener('click', () => actions.enter(suggestion))
      error.append(take)
    }
    if (!$('#join-form').contains(document.activeElement)) $('#name').focus()
  }

  function showApp() {
    $('#join').hidden = true
    $('#app').hidden = false
    $('#my-name').textContent = talk.me
    paintAvatar($('#my-avatar'), talk.me)
  }

  /** Another place: everything in the middle is drawn anew, quietly for those who listen to the page. */
  function showPlace() {
    const place = talk.current
    place.unread = 0
    log.ariaLive = 'off'
    log.ariaLabel = place.kind === 'room' ? `Messages in ${place.name}` : `Private talk with ${place.name}`
    log.replaceChildren(...place.messages.map((message) => elementOf(message)))
    group([...log.children], place.messages)
    toEnd()
    showFrame()
    requestAnimationFrame(() => (log.ariaLive = 'polite'))
  }

  /** Lists, header and title: cheap enough to be drawn whenever something has changed. */
  function showFrame() {
    const place = talk.current
    const isRoom = place.kind === 'room'
    $('#place').textContent = place.name
    $('#place-icon').replaceChildren(icon(isRoom ? 'hash' : 'lock'))
    $('#about').textContent = about(place)
    $('#leave-room').hidden = isRoom && place === talk.find('room', 'Lobby')
    $('#leave-room').textContent = isRoom ? 'Leave' : 'Close'
    showEmpty(place)
    showPlaces()
    showPeople(place)
    const unread = talk.unreadElsewhere + (document.hidden ? place.unread : 0)
    $('#elsewhere').hidden = talk.unreadElsewhere === 0
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${place.name} · fullduplex chat`
  }

  function about(place) {
    if (place.kind === 'room') return place.people.size === 1 ? 'Only you are here' : `${place.people.size} people here`
    return talk.everybody.has(place.name) ? 'Only the two of you see this' : `${place.name} is not here`
  }

  function showEmpty(place) {
    const empty = $('#empty')
    empty.hidden = place.messages.some(({ kind }) => kind !== 'note')
    if (empty.hidden) return
    const isRoom = place.kind === 'room'
    empty.querySelector('.empty-icon').replaceChildren(icon(isRoom ? 'talk' : 'lock'))
    empty.querySelector('h2').textContent = isRoom ? 'It is still quiet here' : `You and ${place.name}`
    empty.querySelector('p').textContent = isRoom
      ? 'Write the first line, or drop a picture anywhere on this page.'
      : 'Nobody else sees what you write to each other here.'
  }

  function showPlaces() {
    const places = [...talk.places.values()]
    const rooms = places.filter(({ kind }) => kind === 'room')
    const talks = places.filter(({ kind }) => kind === 'private')
    const more = [...talk.rooms].filter(([name]) => !rooms.some((room) => room.name === name))
    syncList($('#rooms'), rooms, drawPlace)
    syncList($('#talks'), talks, drawPlace)
    syncList(
      $('#more-rooms'),
      more.map(([name, people]) => ({ key: name, name, people })),
      drawOtherRoom,
    )
    $('#more').hidden = more.length === 0
    $('#no-talks').hidden = talks.length > 0
  }

  function drawPlace(item, place) {
    const isRoom = place.kind === 'room'
    drawMark(item, place.name, isRoom)
    item.classList.toggle('away', !isRoom && !talk.everybody.has(place.name))
    const badge = item.querySelector('.badge')
    badge.hidden = place.unread === 0
    badge.textContent = place.unread > 99 ? '99+' : String(place.unread)
    badge.ariaLabel = `${place.unread} unread`
    const button = item.querySelector('button')
    button.ariaCurrent = place === talk.current ? 'true' : null
    button.onclick = () => {
      actions.openPlace(place)
      closePanels()
    }
  }

  function drawOtherRoom(item, { name, people }) {
    drawMark(item, name, true)
    item.querySelector('.note').textContent = people === 1 ? '1 person' : `${people} people`
    item.querySelector('button').title = `Join ${name}`
    item.querySelector('button').onclick = () => {
      actions.joinRoom(name)
      closePanels()
    }
  }

  function showPeople(place) {
    const isRoom = place.kind === 'room'
    const here = isRoom ? place.people : new Set([place.name, talk.me].filter((name) => talk.everybody.has(name)))
    const people = Array.from(here).toSorted(
      (one, other) => (other === talk.me) - (one === talk.me) || one.localeCompare(other),
    )
    $('#people-title').textContent = isRoom ? 'People here' : 'In this talk'
    $('#people-count').textContent = String(here.size)
    $('#show-people').ariaLabel = `People here: ${here.size}`
    syncList(
      $('#people'),
      people.map((name) => ({ key: name, name })),
      drawPerson,
    )
  }

  function drawPerson(item, { name }) {
    drawMark(item, name, false)
    item.querySelector('.note').textContent = name === talk.me ? 'you' : ''
    const button = item.querySelector('button')
    button.disabled = name === talk.me
    button.title = name === talk.me ? '' : `Write to ${name} in private`
    button.onclick = () => {
      actions.openPrivate(name)
      closePanels()
    }
  }

  function addMessage(message) {
    const index = talk.current.messages.indexOf(message)
    const element = elementOf(message)
    if (log.children[index] !== element) log.insertBefore(element, log.children[index] ?? null)
    // Its neighbours may stand together with it now.
    group([...log.children], talk.current.messages)
    if (following || message.from === talk.me) toEnd()
    else $('#to-end').hidden = false
  }

  function elementOf(message) {
    let element = elements.get(message)
    if (element === undefined) {
      const pictureLoaded = () => following && toEnd()
      element = drawMessage(message, talk.me, { ...actions, pictureLoaded, showPicture })
      elements.set(message, element)
    }
    return element
  }

  function updateMessage(message) {
    const element = elements.get(message)
    if (element !== undefined) drawDelivery(element, message, actions)
  }

  function removeMessage(message) {
    elements.get(message)?.remove()
    group([...log.children], talk.current.messages)
  }

  function toEnd() {
    following = true
    $('#to-end').hidden = true
    log.scrollTop = log.scrollHeight
  }

  function showState(state, seconds) {
    document.body.dataset.state = state
    $('#state').textContent = STATES[state]
    // A voice that counts down would talk over everything else: it hears of changes only.
    if ($('#spoken-state').textContent !== STATES[state]) $('#spoken-state').textContent = STATES[state]
    $('#banner').hidden = state === 'online'
    $('#retry').hidden = state === 'connecting'
    $('#retry').textContent = state === 'offline' ? 'Use it here' : 'Try now'
    $('#banner-text').textContent = {
      connecting: 'Connecting …',
      online: '',
      waiting: `The connection is lost. Next attempt in ${seconds} s. What you write is kept.`,
      offline: 'This chat was opened in another window.',
    }[state]
  }

  function toast(sentence) {
    const element = document.createElement('p')
    element.textContent = sentence
    $('#toasts').append(element)
    setTimeout(() => element.remove(), 6_000)
  }

  function showPicture({ url, alt, from, name }) {
    const dialog = $('#picture-dialog')
    const image = dialog.querySelector('img')
    image.src = url
    image.alt = alt ? `Picture: ${alt}` : `Picture from ${from}`
    Object.assign(dialog.querySelector('.save'), { href: url, download: name })
    dialog.showModal()
  }

  log.addEventListener('scroll', () => {
    following = log.scrollHeight - log.scrollTop - log.clientHeight < 48
    if (following) $('#to-end').hidden = true
  })
  // The keyboard of a phone makes the log lower: its end stays in sight.
  new ResizeObserver(() => following && toEnd()).observe(log)
  $('#to-end').addEventListener('click', toEnd)

  return {
    showJoin,
    showApp,
    showPlace,
    showFrame,
    addMessage,
    updateMessage,
    removeMessage,
    showState,
    toast,
  }
}

function drawMark(item, name, isRoom) {
  const mark = item.querySelector('.avatar')
  item.querySelector('.label').textContent = name
  mark.classList.toggle('hash', isRoom)
  if (!isRoom) paintAvatar(mark, name)
  else if (mark.firstChild === null) mark.append(icon('hash'))
}
