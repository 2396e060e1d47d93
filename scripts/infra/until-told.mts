/** Resolves, with the reason, at the first SIGINT, SIGTERM or SIGHUP, or when the process that started us is gone. */
export function untilToldToStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    process.once('disconnect', () => resolve('the starting process is gone'));
    process.channel?.unref();
    // What is awaited may hold no handle of its own (a broker that runs elsewhere), so stay until told.
    setInterval(() => {}, 2 ** 30);
  });
}
