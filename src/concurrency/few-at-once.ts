/** Works on all items, a few at once, in their order. @param work must not throw */
export async function forFewAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  async function doNext(): Promise<void> {
    for (const item of waiting) {
      await work(item);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, doNext));
}
