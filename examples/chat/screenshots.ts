/**
 * Three people talk, and Chromium looks over their shoulders.
 * `npx tsx examples/chat/screenshots.ts` makes the pictures in docs/images; with a folder as argument it puts one of each
 * state of the page there, for whoever works on its looks.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { startChat } from './chat.ts'
import { drawLandscape } from './landscape.ts'
import { findChromium, launchChromium } from './chromium.ts'

const DESKTOP = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }

const IN_DOCS: ReadonlySet<string> = new Set(['desktop', 'phone'])

const [, , argument] = process.argv
const folder = argument ?? fileURLToPath(new URL('../../docs/images/', import.meta.url))
const executable = findChromium()
if (executable === undefined) throw new Error('There is no Chromium here: set CHROMIUM_PATH.')
await mkdir(folder, { recursive: true })

const browser = await launchChromium(executable)
let chat = await startChat({ port: 0 })
const { port } = chat

for (const colorScheme of ['light', 'dark'] as const) {
  const suffix = colorScheme === 'light' ? '' : '-dark'
  const shoot = async (page: Page, name: string): Promise<void> => {
    if (argument === undefined && !IN_DOCS.has(name)) return
    await page.mouse.move(0, 0)
    await page.screenshot({ path: path.join(folder, `chat-${name}${suffix}.png`) })
  }

  const ana = await open(browser, { viewport: DESKTOP, colorScheme })
  await shoot(ana, 'join')
  await enter(ana, 'Ana')
  await shoot(ana, 'empty')
  const ben = await open(browser, { viewport: PHONE, colorScheme, hasTouch: true })
  await shoot(ben, 'join-phone')
  await enter(ben, 'Ben')
  const chika = await open(browser, { viewport: DESKTOP, colorScheme })
  await enter(chika, 'ana')
  await chika.getByRole('button', { name: 'Join as' }).waitFor()
  await shoot(chika, 'taken')
  await enter(chika, 'Chika')
  await converse(ana, ben, chika)
  await shoot(ana, 'desktop')
  await shoot(ben, 'phone')
  await shoot(chika, 'announced')
  await ben.getByRole('button', { name: 'Rooms and private talks' }).click()
  await settled(ben)
  await shoot(ben, 'phone-rooms')
  await ben.keyboard.press('Escape')
  await ben.getByRole('button', { name: /^People here/ }).click()
  await settled(ben)
  await shoot(ben, 'phone-people')
  await ben.keyboard.press('Escape')
  await openPlace(ana, 'Ben')
  await shoot(ana, 'private')
  await chat.shutdown()
  await ana.getByText('The connection is lost').waitFor()
  await openPlace(ana, 'Weekend hike')
  await say(ana, 'I bring the tea.')
  await shoot(ana, 'reconnecting')
  await shoot(ben, 'reconnecting-phone')
  chat = await startChat({ port })
  await Promise.all([ana, ben, chika].map((page) => page.context().close()))
}

await chat.shutdown()
await browser.close()

async function converse(ana: Page, ben: Page, chika: Page): Promise<void> {
  await ana.getByRole('button', { name: 'New room' }).click()
  await ana.getByLabel('Name of the room').fill('Weekend hike')
  await ana.getByRole('button', { name: 'Join room' }).click()
  await ana.getByRole('heading', { name: 'Weekend hike' }).waitFor()
  await ben.getByRole('button', { name: 'Rooms and private talks' }).click()
  await ben.getByRole('button', { name: 'Weekend hike' }).click()
  await chika.getByRole('button', { name: 'Weekend hike' }).click()
  await say(ben, 'Good morning! Who is in for Saturday?')
  await say(ben, 'The weather looks fine until four.')
  await say(chika, 'Me 🙋‍♀️')
  await say(
    ana,
    'Count me in. I found a way along the ridge that we have not walked yet: about 14 km, two short climbs, and a hut half way up that opens at eleven.\n\nTrain at 8:12 from the main station?',
  )
  await heard(chika, 'Train at 8:12')
  await say(chika, '8:12 is fine. The map: https://example.org/maps/ridge-walk?from=station&to=hut')
  await heard(ben, 'The map')
  await ben
    .locator('#file')
    .setInputFiles({ name: 'view-from-the-hut.png', mimeType: 'image/png', buffer: drawLandscape(960, 600) })
  await ben.getByRole('button', { name: 'Send', exact: true }).click()
  await say(ben, 'That is what waits for us up there')
  await heard(ana, 'That is what waits')
  await ana.getByRole('img', { name: 'view from the hut' }).waitFor()
  await say(ana, '😍')
  await openPlace(ana, 'Ben')
  await say(ana, 'Shall we get a cake for Chika? It is her birthday on Sunday.')
  await openPlace(ana, 'Weekend hike')
  await ben.getByRole('button', { name: 'Rooms and private talks' }).click()
  await openPlace(ben, 'Ana')
  await say(ben, 'Yes! I ask at the hut. Not a word to her.')
  await ben.getByRole('button', { name: 'Rooms and private talks' }).click()
  await openPlace(ben, 'Weekend hike')
  await chika.getByRole('button', { name: 'Announce to everybody' }).click()
  await chika.getByLabel('Announcement').fill('The tickets are booked: platform 4, coach 7.')
  await chika.getByRole('button', { name: 'Announce', exact: true }).click()
  for (const page of [ana, ben, chika]) await heard(page, 'The tickets are booked')
  await openPlace(chika, 'Lobby')
  await say(chika, 'Anybody here who knows the ridge?')
  await openPlace(chika, 'Weekend hike')
}

async function open(inside: Browser, options: Parameters<Browser['newContext']>[0]): Promise<Page> {
  const page = await (await inside.newContext({ deviceScaleFactor: 2, ...options })).newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByLabel('Your name').waitFor()
  return page
}

async function enter(page: Page, name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: 'Join the chat' }).click()
  if (name !== 'ana') await page.getByRole('log').waitFor()
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text)
  await page.locator('#text').press('Enter')
}

async function heard(page: Page, text: string): Promise<void> {
  await page.getByRole('log').getByText(text).first().waitFor()
}

async function openPlace(page: Page, name: string): Promise<void> {
  // Those in the list of people are there too, but on a phone that list is closed.
  await page.locator('#rooms, #talks, #people').getByRole('button', { name }).first().click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

async function settled(page: Page): Promise<void> {
  await page.evaluate('Promise.all(document.getAnimations().map((animation) => animation.finished))')
}
