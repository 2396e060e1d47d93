import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Topic } from '#libs/contracts';
import { ServiceRuntime } from '#libs/process';
import { CreditAlerts } from './credit-alerts';
import { LoopAlerts } from './loop-alerts';

/** Names the topics that crm-writer reads; each method gives the handler of its topic. */
@Controller()
export class RecordController {
  constructor(
    private readonly runtime: ServiceRuntime,
    private readonly alerts: LoopAlerts,
    private readonly credit: CreditAlerts,
  ) {}

  @EventPattern(Topic.ingressHubspot)
  changes(_record: unknown) {
    return this.runtime.handlerFor(Topic.ingressHubspot);
  }

  @EventPattern(Topic.render)
  renders(_record: unknown) {
    return this.credit.over(this.alerts.over(this.runtime.handlerFor(Topic.render)));
  }

  @EventPattern(Topic.enrichment)
  enrichments(_record: unknown) {
    return this.alerts.over(this.runtime.handlerFor(Topic.enrichment));
  }

  @EventPattern(Topic.ingressGeneric)
  events(_record: unknown) {
    return this.runtime.handlerFor(Topic.ingressGeneric);
  }

  @EventPattern(Topic.crm)
  records(_record: unknown) {
    return this.alerts.over(this.runtime.handlerFor(Topic.crm));
  }

  @EventPattern(Topic.sweep)
  finds(_record: unknown) {
    return this.runtime.handlerFor(Topic.sweep);
  }
}
