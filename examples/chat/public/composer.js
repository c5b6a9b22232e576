/**
 * Where one writes: the text, and pictures that wait in a tray until they are sent. They come from the file picker, from
 * the clipboard or from anywhere under the mouse.
 */
import { icon } from './log.js'
import { syncList } from './parts.js'
import { describe, readPicture } from './pictures.js'

const $ = (selector) => document.querySelector(selector)
const form = $('#composer')
const text = $('#text')
/** With fewer characters left than this, their number is shown. */
const NEARLY_FULL = 200

/** `on` has `send(content)`, `limits()`, `problem(sentence)` and `isReady()`. */
export function createComposer(on) {
  const tray = []

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const words = text.value.trim()
    if (words.length > on.limits().text) return
    for (const picture of tray.splice(0)) on.send({ kind: 'picture', ...picture })
    if (words !== '') on.send({ kind: 'text', text: words })
    text.value = ''
    drawTray()
  })

  text.addEventListener('input', fit)
  text.addEventListener('keydown', (event) => {
    // An Enter that ends the choice of a character, in Japanese for example, is not for us.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })

  $('#pick').addEventListener('click', () => $('#file').click())
  $('#file').addEventListener('change', async () => {
    await take([...$('#file').files])
    $('#file').value = ''
  })

  addEventListener('paste', (event) => {
    if (event.clipboardData.files.length === 0) return
    event.preventDefault()
    void take([...event.clipboardData.files])
  })

  addEventListener('dragover', (event) => {
    event.preventDefault()
    $('#drop').hidden = !event.dataTransfer.types.includes('Files')
  })
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) $('#drop').hidden = true
  })
  addEventListener('drop', (event) => {
    event.preventDefault()
    $('#drop').hidden = true
    void take([...event.dataTransfer.files])
  })

  async function take(files) {
    if (!on.isReady()) return
    for (const file of files) {
      try {
        const { bytes, type } = await readPicture(file, on.limits().picture)
        tray.push({
          bytes,
          alt: describe(file),
          url: URL.createObjectURL(new Blob([bytes], { type })),
          name: file.name,
        })
      } catch (error) {
        on.problem(error instanceof DOMException ? 'This picture cannot be read.' : error.message)
      }
    }
    drawTray()
    text.focus()
  }

  function remove(picture) {
    tray.splice(tray.indexOf(picture), 1)
    URL.revokeObjectURL(picture.url)
    drawTray()
    text.focus()
  }

  function drawTray() {
    const items = tray.map((picture) => ({ key: picture.url, picture }))
    syncList($('#tray'), items, drawPicture, '#tray-template')
    $('#tray').hidden = tray.length === 0
    fit()
  }

  function drawPicture(item, { picture }) {
    const button = item.querySelector('button')
    Object.assign(item.querySelector('img'), { src: picture.url, alt: picture.alt })
    button.ariaLabel = `Remove the picture ${picture.alt}`
    button.onclick = () => remove(picture)
    if (button.firstChild === null) button.append(icon('close'))
  }

  function fit() {
    const left = on.limits().text - text.value.trim().length
    $('#too-long').hidden = left >= NEARLY_FULL
    $('#too-long').textContent = left < 0 ? `${-left} characters too long` : `${left} characters left`
    $('#too-long').classList.toggle('over', left < 0)
    $('#send').disabled = left < 0 || (text.value.trim() === '' && tray.length === 0)
    if (CSS.supports('field-sizing', 'content')) return
    text.style.height = 'auto'
    text.style.height = `${text.scrollHeight}px`
  }

  /** Each place keeps what was begun there. */
  function moveTo(place, from) {
    if (from !== undefined) from.draft = text.value
    text.value = place.draft
    text.placeholder = `Write to ${place.name}${place.kind === 'room' ? '' : ' in private'}`
    text.ariaLabel = `Message to ${place.name}`
    fit()
    // On a phone this would bring up the keyboard.
    if (matchMedia('(pointer: fine)').matches) text.focus()
  }

  return { moveTo }
}
