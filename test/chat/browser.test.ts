/**
 * The page in a real browser, against the real server. Each test has its own chat and its own people, each in a context
 * of their own; whatever the page reports as an error fails the test.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startChat } from '../../examples/chat/chat.ts'
import type { RunningChat } from '../../examples/chat/chat.ts'
import { findChromium, launchChromium } from '../../examples/chat/chromium.ts'
import { encodePng } from '../../examples/chat/landscape.ts'

const executable = findChromium()
const skipped = executable === undefined && process.env['CI'] === undefined
if (skipped) console.warn('There is no Chromium here: the page is not tested. Install it, or set CHROMIUM_PATH.')
/** A busy machine takes its time; nothing here waits longer than it must. */
const PATIENCE = 30_000
vi.setConfig({ testTimeout: 2 * PATIENCE, hookTimeout: 2 * PATIENCE })
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true }

describe.skipIf(skipped)('The page in Chromium', () => {
  let browser: Browser
  let chat: RunningChat
  let complaints: string[]

  beforeAll(async () => {
    if (executable === undefined) throw new Error('There is no Chromium: install it, or set CHROMIUM_PATH.')
    browser = await launchChromium(executable)
  })

  afterAll(async () => {
    await browser?.close()
  })

  beforeEach(async () => {
    complaints = []
    chat = await startChat({ port: 0 })
  })

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await chat.shutdown()
    if (complaints.length > 0) throw new Error(`The page reported errors:\n${complaints.join('\n')}`)
  })

  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage()
    page.setDefaultTimeout(PATIENCE)
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (line) => {
      if (line.type() === 'error') complaints.push(line.text())
    })
    await page.goto(`http://127.0.0.1:${chat.port}/`)
    return page
  }

  async function enter(name: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page> {
    const page = await open(options)
    await page.getByLabel('Your name').fill(name)
    await page.keyboard.press('Enter')
    await page.getByRole('log').waitFor()
    return page
  }

  it('lets two people talk in the lobby, who see who is there', async () => {
    const ana = await enter('Ana')
    await ana.getByText('Only you are here').waitFor()
    const ben = await enter('Ben')
    await people(ana).getByRole('button', { name: 'Ben' }).waitFor()
    await say(ana, 'Hello Ben 👋')
    await message(ben, 'Hello Ben 👋').waitFor()
    expect(await message(ben, 'Hello Ben').getAttribute('data-mine')).toBe('false')
    expect(await message(ana, 'Hello Ben').getAttribute('data-mine')).toBe('true')
    await ben.context().close()
    await ana.getByText('Only you are here').waitFor()
    await log(ana).getByText('Ben left').waitFor()
    expect(await people(ana).getByRole('button').count()).toBe(1)
  })

  it('refuses a bad name politely and offers another', async () => {
    await enter('Ana')
    const other = await open()
    await other.getByRole('button', { name: 'Join the chat' }).click()
    await other.getByRole('alert').getByText('Please write a name.').waitFor()
    await other.getByLabel('Your name').fill('\u202eevil')
    await other.keyboard.press('Enter')
    await other.getByRole('alert').getByText('characters that cannot be shown').waitFor()
    await other.getByLabel('Your name').fill('ANA')
    await other.keyboard.press('Enter')
    await other.getByRole('alert').getByText('Somebody here is called “ANA” already.').waitFor()
    await other.getByRole('button', { name: 'Join as ANA 2' }).click()
    await other.getByRole('log').waitFor()
    expect(await people(other).locator('.label').allTextContents()).toEqual(['ANA 2', 'Ana'])
  })

  it('shows a private message to one person only', async () => {
    const [ana, ben, chika] = await Promise.all([enter('Ana'), enter('Ben'), enter('Chika')])
    await people(ana).getByRole('button', { name: 'Ben' }).click()
    await ana.getByText('Only the two of you see this').waitFor()
    await say(ana, 'A cake for Chika?')
    await message(ana, 'A cake').and(ana.locator('[data-delivery=sent]')).waitFor()
    await unread(ben, 'Ana', 1).click()
    await message(ben, 'A cake for Chika?').waitFor()
    // Whatever had been sent to Chika before this would be here by now.
    await place(ana, 'Lobby').click()
    await say(ana, 'Good morning all')
    await message(chika, 'Good morning all').waitFor()
    expect(await chika.content()).not.toContain('cake')
    expect(await chika.locator('#talks li').count()).toBe(0)
  })

  it('keeps a room to its members, and counts what was missed', async () => {
    const [ana, ben, chika] = await Promise.all([enter('Ana'), enter('Ben'), enter('Chika')])
    await ana.getByRole('button', { name: 'New room' }).click()
    await ana.getByLabel('Name of the room').fill('Weekend hike')
    await ana.keyboard.press('Enter')
    await ana.getByRole('heading', { name: 'Weekend hike' }).waitFor()
    await say(ana, 'Who comes along?')
    await place(ben, 'Weekend hike').click()
    await message(ben, 'Who comes along?').waitFor()
    await say(ben, 'I do')
    await place(ben, 'Lobby').click()
    await message(ana, 'I do').waitFor()
    await say(ana, 'At eight?')
    await say(ana, 'Or nine?')
    await unread(ben, 'Weekend hike', 2).waitFor()
    expect(await ben.title()).toBe('(2) Lobby · fullduplex chat')
    await place(ben, 'Weekend hike').click()
    await ben.getByRole('button', { name: 'Leave', exact: true }).click()
    await ben.getByRole('heading', { name: 'Lobby' }).waitFor()
    await ana.getByText('Only you are here').waitFor()
    await say(ben, 'Not me after all')
    await unread(ana, 'Lobby', 1).waitFor()
    await message(chika, 'Not me after all').waitFor()
    expect(await chika.content()).not.toContain('Who comes along?')
  })

  it('announces to everybody, wherever they are', async () => {
    const [ana, ben] = await Promise.all([enter('Ana'), enter('Ben')])
    await people(ben).getByRole('button', { name: 'Ana' }).click()
    await ana.getByRole('button', { name: 'Announce to everybody' }).click()
    await ana.getByLabel('Announcement').fill('Dinner is ready')
    await ana.getByRole('button', { name: 'Announce', exact: true }).click()
    for (const page of [ana, ben]) {
      await message(page, 'Dinner is ready').and(page.locator('[data-kind=announcement]')).waitFor()
    }
    expect(await log(ana).getByText('Dinner is ready').count()).toBe(1)
  })

  it('carries a picture from one person to the other, byte for byte', async () => {
    const [ana, ben] = await Promise.all([enter('Ana'), enter('Ben')])
    // Noise does not get smaller in a PNG: this one leaves the server in several fragments.
    const picture = encodePng(200, 150, randomBytes(3 * 200 * 150))
    await ana.locator('#file').setInputFiles({ name: 'the-hills.png', mimeType: 'image/png', buffer: picture })
    await ana.getByRole('button', { name: 'Remove the picture the hills' }).waitFor()
    await ana.getByRole('button', { name: 'Send' }).click()
    await ben.getByRole('button', { name: 'Picture: the hills' }).click()
    const [download] = await Promise.all([ben.waitForEvent('download'), ben.getByText('Save').click()])
    expect(download.suggestedFilename()).toBe('the hills.png')
    expect(picture.equals(await readFile(await download.path()))).toBe(true)
    await ben.getByRole('button', { name: 'Close' }).click()
    await message(ana, '').and(ana.locator('[data-kind=picture][data-delivery=sent]')).waitFor()
    expect(await log(ana).locator('[data-kind=picture]').count()).toBe(1)
  })

  it('makes a picture smaller that is too large, and says which files it cannot send', async () => {
    const [ana, ben] = await Promise.all([enter('Ana'), enter('Ben')])
    const noise = encodePng(1500, 1000, randomBytes(3 * 1500 * 1000))
    expect(noise.length).toBeGreaterThan(4 * 1024 * 1024)
    await ana.locator('#file').setInputFiles([
      { name: 'noise.png', mimeType: 'image/png', buffer: noise },
      {
        name: 'film.gif',
        mimeType: 'image/gif',
        buffer: Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(5_000_000)]),
      },
      { name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<script>alert(1)</script>') },
      { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from(noise).fill(0, 8) },
    ])
    await ana.getByText('This GIF has 4.8 MB: at most 4.0 MB can be sent.').waitFor()
    await ana.getByText('Only PNG, JPEG, GIF and WebP pictures can be sent.').waitFor()
    await ana.getByText('This picture cannot be read.').waitFor()
    await ana.getByRole('button', { name: 'Send' }).click()
    const [download] = await Promise.all([
      ben.waitForEvent('download'),
      ben
        .getByRole('button', { name: 'Picture: noise' })
        .click()
        .then(() => ben.getByText('Save').click()),
    ])
    expect(download.suggestedFilename()).toBe('noise.jpeg')
    const bytes = await readFile(await download.path())
    expect(bytes.length).toBeLessThan(noise.length)
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from('ffd8ff', 'hex'))
  })

  it('comes back by itself under the same name, into its rooms, with what was written meanwhile', async () => {
    const [ana, ben] = await Promise.all([enter('Ana'), enter('Ben')])
    for (const page of [ana, ben]) {
      await page.getByRole('button', { name: 'New room' }).click()
      await page.getByLabel('Name of the room').fill('Hike')
      await page.getByRole('button', { name: 'Join room' }).click()
      await page.getByRole('heading', { name: 'Hike' }).waitFor()
    }
    await say(ana, 'Before')
    await message(ben, 'Before').waitFor()
    const { port } = chat
    await chat.shutdown()
    for (const page of [ana, ben]) await page.getByText(/^The connection is lost\. Next attempt in \d+ s\./).waitFor()
    await say(ana, 'Meanwhile')
    await message(ana, 'Meanwhile').getByText('Sending …').waitFor()
    chat = await startChat({ port })
    for (const page of [ana, ben]) await page.getByText('Online', { exact: true }).first().waitFor()
    await message(ben, 'Meanwhile').waitFor()
    await message(ana, 'Meanwhile').and(ana.locator('[data-delivery=sent]')).waitFor()
    await say(ben, 'After')
    await message(ana, 'After').waitFor()
    for (const page of [ana, ben]) {
      await page.getByText('2 people here').waitFor()
      expect(await log(page).locator('[data-kind=text]').count()).toBe(3)
    }
    // Attempts while nobody listened are reported by the browser, and nothing else is.
    complaints = complaints.filter((text) => !/WebSocket connection to .* failed/.test(text))
  })

  it('keeps name and rooms over a reload', async () => {
    const [ana, ben] = await Promise.all([enter('Ana'), enter('Ben')])
    await ana.getByRole('button', { name: 'New room' }).click()
    await ana.getByLabel('Name of the room').fill('Hike')
    await ana.getByRole('button', { name: 'Join room' }).click()
    await place(ben, 'Hike').waitFor()
    await ana.reload()
    await place(ana, 'Hike').waitFor()
    await say(ben, 'Welcome back')
    await message(ana, 'Welcome back').waitFor()
    expect(await ana.locator('#my-name').textContent()).toBe('Ana')
  })

  it('shows what people write as text, whatever it looks like', async () => {
    const [ana, ben] = await Promise.all([enter('<b>Ana</b>'), enter('Ben')])
    const markup = '<img src=x onerror="document.title=1"> & <script>alert(1)</script>'
    await say(ana, markup)
    await message(ben, markup).waitFor()
    expect(await message(ben, markup).locator('.from').textContent()).toBe('<b>Ana</b>')
    expect(await log(ben).locator('img, script, b').count()).toBe(0)
    await say(ana, 'see https://example.org/a?b=c. javascript:alert(1)')
    const link = log(ben).getByRole('link')
    await link.waitFor()
    expect(await link.getAttribute('href')).toBe('https://example.org/a?b=c')
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer')
  })

  it('sends with Enter, breaks the line with Shift+Enter, and says when a text is too long', async () => {
    const ana = await enter('Ana')
    const field = ana.getByRole('textbox', { name: 'Message to Lobby' })
    await field.pressSequentially('one')
    await field.press('Shift+Enter')
    await field.pressSequentially('two')
    await field.press('Enter')
    await message(ana, 'one').waitFor()
    expect(await message(ana, 'one').locator('.body').textContent()).toBe('one\ntwo')
    await field.fill('x'.repeat(4_001))
    await ana.getByText('1 characters too long').waitFor()
    expect(await ana.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
  })

  it('has drawers on a phone, which Escape closes and which give the focus back', async () => {
    const ana = await enter('Ana', PHONE)
    await enter('Ben')
    const button = ana.getByRole('button', { name: 'People here: 2' })
    expect(await people(ana).isVisible()).toBe(false)
    await button.click()
    await people(ana).waitFor()
    await ana.keyboard.press('Escape')
    await people(ana).waitFor({ state: 'hidden' })
    await button.and(ana.locator(':focus')).waitFor()
    await button.click()
    await people(ana).getByRole('button', { name: 'Ben' }).click()
    await ana.getByText('Only the two of you see this').waitFor()
    await people(ana).waitFor({ state: 'hidden' })
    expect(await ana.evaluate('document.documentElement.scrollWidth')).toBe(390)
  })
})

function log(page: Page): Locator {
  return page.getByRole('log')
}

function people(page: Page): Locator {
  return page.locator('#people')
}

function message(page: Page, text: string): Locator {
  return log(page).getByRole('article').filter({ hasText: text })
}

/** A room or a private talk in the list. */
function place(page: Page, name: string): Locator {
  return page.getByRole('navigation').getByRole('button', { name })
}

function unread(page: Page, name: string, count: number): Locator {
  return place(page, name).filter({ has: page.locator('.badge', { hasText: String(count) }) })
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text)
  await page.locator('#text').press('Enter')
}
