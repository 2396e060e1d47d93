/** A page whose first lines say that nobody should edit it. */
export function page(title: string, ...parts: string[]): string {
  const note = '<!-- Written by `npm run generate` from the code. Change the code instead. -->';
  return `${[note, `# ${title}`, ...parts].join('\n\n')}\n`;
}

/** A table with a row for each entry; a `|` in a cell stays text. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const code = (text: string): string => `\`${text}\``;
