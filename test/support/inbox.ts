/** What arrives, in order, for tests that wait for so and so many of it. */
export class Inbox<T> {
  readonly #items: T[] = []
  #arrived: () => void = () => {}

  push(item: T): void {
    this.#items.push(item)
    this.#arrived()
  }

  /** The next `count`, when they have come. */
  async take(count: number): Promise<T[]> {
    while (this.#items.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    }
    return this.#items.splice(0, count)
  }

  async next(): Promise<T> {
    const [item] = await this.take(1)
    return item
  }
}
