/**
 * How one message looks. Whatever people wrote reaches the page as text nodes, never as markup.
 */
const template = document.querySelector('#message-template')
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const LINK = /https?:\/\/[^\s<>"]+[^\s<>"'.,:;!?()[\]{}]/g
const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\p{Extended_Pictographic}|\u200d|\ufe0f)*){1,4}$/u
/** Messages of one person that follow each other within this time stand together. */
const TOGETHER = 5 * 60_000

/** One element for a message, made once: it moves, and is drawn again when its delivery changes. */
export function drawMessage(message, me, actions) {
  const element = template.content.firstElementChild.cloneNode(true)
  element.dataset.kind = message.kind
  element.dataset.mine = String(message.from === me)
  if (message.kind === 'note') {
    element.querySelector('.from').remove()
    element.querySelector('.avatar').remove()
  } else {
    paintAvatar(element.querySelector('.avatar'), message.from)
    drawSender(element.querySelector('.from'), message, me)
  }
  const body = element.querySelector('.body')
  if (message.kind === 'picture') drawPicture(body, message, actions)
  else drawText(body, message.text)
  drawDelivery(element, message, actions)
  return element
}

function drawSender(element, { kind, from }, me) {
  const name = document.createElement('bdi')
  name.textContent = from === me ? 'You' : from
  element.append(name)
  if (from !== me) name.style.setProperty('--hue', hueOf(from))
  if (kind === 'announcement') element.append(icon('megaphone'), ' to everybody')
}

function drawText(body, text) {
  let end = 0
  for (const { 0: address, index } of text.matchAll(LINK)) {
    const link = document.createElement('a')
    Object.assign(link, { href: address, textContent: address, target: '_blank', rel: 'noopener noreferrer' })
    body.append(text.slice(end, index), link)
    end = index + address.length
  }
  body.append(text.slice(end))
  if (text.length < 40 && ONLY_EMOJI.test(text.trim())) body.classList.add('emoji')
}

function drawPicture(body, message, actions) {
  const button = document.createElement('button')
  const image = document.createElement('img')
  button.type = 'button'
  button.className = 'picture'
  image.alt = message.alt ? `Picture: ${message.alt}` : 'Picture'
  image.src = message.url
  image.addEventListener('load', actions.pictureLoaded)
  button.append(image)
  button.addEventListener('click', () => actions.showPicture(message))
  body.append(button)
}

/** Pending, sent or failed, and when. */
export function drawDelivery(element, message, actions) {
  const { at, delivery, problem } = message
  element.dataset.delivery = delivery
  const time = element.querySelector('time')
  time.dateTime = new Date(at).toISOString()
  time.textContent = clock.format(at)
  time.title = full.format(at)
  const state = element.querySelector('.delivery')
  state.replaceChildren()
  if (delivery === 'pending') state.textContent = 'Sending …'
  if (delivery !== 'failed') return
  const again = document.createElement('button')
  Object.assign(again, { type: 'button', className: 'again', textContent: 'Try again' })
  again.addEventListener('click', () => actions.sendAgain(message))
  state.append(`Not sent: ${problem} `, again)
}

/** Days, and who stands together with whom: looks at neighbours, so it runs over a whole place. */
export function group(elements, messages) {
  for (const [index, element] of elements.entries()) {
    const message = messages[index]
    const before = messages[index - 1]
    const after = messages[index + 1]
    element.toggleAttribute('data-first', !belong(before, message))
    element.toggleAttribute('data-last', !belong(message, after))
    if (before !== undefined && dayOf(before.at) === dayOf(message.at)) delete element.dataset.day
    else element.dataset.day = nameDay(message.at)
  }
}

function belong(one, other) {
  if (one === undefined || other === undefined || one.kind === 'note' || other.kind === 'note') return false
  if (one.kind === 'announcement' || other.kind === 'announcement') return false
  return one.from === other.from && other.at - one.at < TOGETHER && dayOf(one.at) === dayOf(other.at)
}

function dayOf(at) {
  return new Date(at).setHours(0, 0, 0, 0)
}

function nameDay(at) {
  if (dayOf(at) === dayOf(Date.now())) return 'Today'
  return dayOf(at) === dayOf(Date.now() - 86_400_000) ? 'Yesterday' : day.format(at)
}

export function paintAvatar(element, name) {
  const [first = { segment: '?' }] = graphemes.segment(name)
  element.textContent = first.segment.toUpperCase()
  element.style.setProperty('--hue', hueOf(name))
}

/** The same colour for the same name on every screen. */
function hueOf(name) {
  let hash = 7
  for (const character of name.toLowerCase()) hash = (hash * 31 + character.codePointAt(0)) % 3600
  return String(hash / 10)
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  use.setAttribute('href', `#i-${name}`)
  svg.append(use)
  svg.setAttribute('aria-hidden', 'true')
  return svg
}
