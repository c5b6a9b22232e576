/**
 * What this person knows: the places they can be in, a room or a private talk, and what was said there. No DOM, no network.
 *
 * A message is known by its sender and the sender's id, so one that comes twice, from a room's history or because it was
 * sent again after a cut, is shown once. Messages of our own wait at the end, pending, until the server says them back.
 */
export const LOBBY = 'Lobby'
const REMEMBERED = 300

export class Talk {
  me = ''
  /** Key to place; in the order in which they were opened. */
  places = new Map()
  /** All rooms by name, with how many people are there. */
  rooms = new Map()
  current

  room(name) {
    return this.#place('room', name)
  }

  /** The private talk with one person. */
  private(name) {
    return this.#place('private', name)
  }

  find(kind, name) {
    return this.places.get(keyOf(kind, name))
  }

  close(place) {
    this.places.delete(place.key)
  }

  get everybody() {
    return this.find('room', LOBBY)?.people ?? new Set()
  }

  get unreadElsewhere() {
    let unread = 0
    for (const place of this.places.values()) if (place !== this.current) unread += place.unread
    return unread
  }

  /**
   * Adds what was said. Answers with the message that is now in the place and what became of it: `added`, `confirmed`
   * when it is our own come back, or `known`. `dropped` are old messages that made room.
   */
  add(place, message) {
    const known = place.messages.find(({ id, from }) => id === message.id && from === message.from)
    if (known === undefined) {
      place.messages.splice(firstPending(place), 0, message)
      const dropped = place.messages.splice(0, Math.max(0, place.messages.length - REMEMBERED))
      return { message, outcome: 'added', dropped }
    }
    if (known.delivery === 'sent') return { message: known, outcome: 'known', dropped: [] }
    place.messages.splice(place.messages.indexOf(known), 1)
    Object.assign(known, { at: message.at, delivery: 'sent', problem: undefined })
    place.messages.splice(firstPending(place), 0, known)
    return { message: known, outcome: 'confirmed', dropped: [] }
  }

  addPending(place, message) {
    const pending = { ...message, from: this.me, at: Date.now(), delivery: 'pending' }
    place.messages.push(pending)
    return pending
  }

  /**
   * Somebody came or went. Who is back at once, after a cut or a reload, leaves no trace: answers with the note that is
   * to be taken away instead of adding one.
   */
  note(place, text, undoes, at) {
    const last = place.messages[firstPending(place) - 1]
    if (last?.kind === 'note' && last.text === undoes && at - last.at < 30_000) {
      place.messages.splice(place.messages.indexOf(last), 1)
      return { removed: last }
    }
    const { message, dropped } = this.add(place, {
      kind: 'note',
      id: crypto.getRandomValues(new Uint32Array(2)).join('-'),
      text,
      at,
      delivery: 'sent',
    })
    return { added: message, dropped }
  }

  #place(kind, name) {
    const key = keyOf(kind, name)
    let place = this.places.get(key)
    if (place === undefined) {
      place = { key, kind, name, messages: [], unread: 0, people: new Set(), draft: '' }
      this.places.set(key, place)
    }
    return place
  }
}

function keyOf(kind, name) {
  return `${kind} ${name.toLowerCase()}`
}

function firstPending(place) {
  const index = place.messages.findIndex(({ delivery }) => delivery !== 'sent')
  return index === -1 ? place.messages.length : index
}
