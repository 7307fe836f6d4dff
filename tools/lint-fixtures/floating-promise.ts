// lint as: libs/ports/src/read-whole.ts
async function settle(): Promise<void> {
  await Promise.resolve();
}

export function start(): void {
  settle(); // expect: @typescript-eslint/no-floating-promises
}
