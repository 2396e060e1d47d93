const EVERY_MS = 10;

/** Resolves once the condition holds; between two looks it leaves the machine to what is waited for. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}
