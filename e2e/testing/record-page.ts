import type { Browser, Page } from 'playwright-core';
import { Child, type Watchdog } from './children';
import type { Sandbox } from './vendors';

/** Builds the card, asking the gateway of this public address, and the page around it, to be a sandbox's RECORD_PAGE_DIR. */
export async function buildRecordPage(gateway: string, folder: string, watchdog: Watchdog): Promise<void> {
  const args = ['scripts/record-page/main.mts', '--gateway', gateway, '--out', folder];
  await new Child('building the record page', args, {}, watchdog).run();
}

/** A page of a browser on which HubSpot's stand-in shows a record with the card, as a person uses it. */
export class RecordPage {
  /** What the page's own scripts failed with. */
  readonly faults: string[] = [];
  /** Whom the page and the card's worker called. */
  readonly called = new Set<string>();

  private constructor(
    readonly page: Page,
    private readonly hubspot: Sandbox,
  ) {
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('request', (request) => this.called.add(new URL(request.url()).origin));
  }

  static async in(browser: Browser, hubspot: Sandbox): Promise<RecordPage> {
    return new RecordPage(await browser.newPage(), hubspot);
  }

  open(type: 'contacts' | 'companies' | 'deals', id: string) {
    return this.page.goto(`${this.hubspot.url}/_sandbox/records/${type}/${id}`);
  }

  /** Resolves when the card says this. */
  shows(text: string | RegExp) {
    return this.page.locator('#card').getByText(text).first().waitFor();
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true });
  }

  get dialog() {
    return this.page.getByRole('dialog');
  }

  /** Labels with their values, one line each. */
  pairs() {
    return this.page.locator('#card dl > div').allInnerTexts();
  }
}
