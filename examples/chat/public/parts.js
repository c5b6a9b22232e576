/**
 * Parts that a page is made of, whatever it shows: lists that keep their items, drawers, dialogs with one field.
 */
const $ = (selector) => document.querySelector(selector)

/** Draws a list of `{ key }` into a list element, keeping the items that stay, and with them the keyboard's focus. */
export function syncList(list, items, draw, template = '#place-template') {
  const old = new Map([...list.children].map((element) => [element.dataset.key, element]))
  const wanted = items.map((item) => {
    const element = old.get(item.key) ?? $(template).content.firstElementChild.cloneNode(true)
    element.dataset.key = item.key
    draw(element, item)
    return element
  })
  for (const element of old.values()) if (!wanted.includes(element)) element.remove()
  for (const [index, element] of wanted.entries()) {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null)
  }
}

/** The lists are drawers where there is no room for them: one at a time, the rest of the page out of reach meanwhile. */
function openPanel(name) {
  $('#app').dataset.open = name
  $(`#show-${name}`).ariaExpanded = 'true'
  $('#talk').inert = true
  $(`#${name}-panel .close-panel`).focus()
}

export function closePanels() {
  const { open } = $('#app').dataset
  if (open === undefined) return
  delete $('#app').dataset.open
  $('#talk').inert = false
  $(`#show-${open}`).ariaExpanded = 'false'
  $(`#show-${open}`).focus()
}

/** Opens a dialog with one field; answers with what was written, or undefined. */
export function ask(selector) {
  const dialog = $(selector)
  const field = dialog.querySelector('input, textarea')
  field.value = ''
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.onclose = () =>
      resolve(dialog.returnValue === 'ok' && field.value.trim() !== '' ? field.value.trim() : undefined)
  })
}

for (const name of ['rooms', 'people']) $(`#show-${name}`).addEventListener('click', () => openPanel(name))
for (const button of document.querySelectorAll('.close-panel, #scrim')) button.addEventListener('click', closePanels)
for (const button of document.querySelectorAll('dialog .cancel')) {
  button.addEventListener('click', () => button.closest('dialog').close(''))
}
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && $('dialog[open]') === null) closePanels()
})
