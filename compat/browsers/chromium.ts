/** Debian's Chromium, driven by Playwright. */
import { findChromium, launchChromium } from '../../examples/chat/chromium.ts'
import type { Cell } from '../programs/check.ts'
import { needPackage } from '../support/debian.ts'
import type { Browser } from './browser.ts'

export async function startChromium(): Promise<Browser> {
  await needPackage('chromium', () => findChromium() !== undefined)
  const browser = await launchChromium(findChromium() ?? '')
  return {
    title: `Chromium ${browser.version()}`,
    async visit(url) {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      await page.goto(url)
      const cells = await page.evaluate('results')
      await context.close()
      return cells as Cell[]
    },
    close: () => browser.close(),
  }
}
