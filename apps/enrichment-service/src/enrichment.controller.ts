import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Topic } from '#libs/contracts';
import { ServiceRuntime } from '#libs/process';

/** Names the topics that enrichment-service reads; each method gives the handler of its topic. */
@Controller()
export class EnrichmentController {
  constructor(private readonly runtime: ServiceRuntime) {}

  @EventPattern(Topic.ingressHubspot)
  hubspot(_record: unknown) {
    return this.runtime.handlerFor(Topic.ingressHubspot);
  }

  @EventPattern(Topic.ingressGeneric)
  events(_record: unknown) {
    return this.runtime.handlerFor(Topic.ingressGeneric);
  }

  @EventPattern(Topic.render)
  renders(_record: unknown) {
    return this.runtime.handlerFor(Topic.render);
  }

  @EventPattern(Topic.enrichment)
  enrichments(_record: unknown) {
    return this.runtime.handlerFor(Topic.enrichment);
  }

  @EventPattern(Topic.crm)
  records(_record: unknown) {
    return this.runtime.handlerFor(Topic.crm);
  }

  @EventPattern(Topic.sweep)
  finds(_record: unknown) {
    return this.runtime.handlerFor(Topic.sweep);
  }
}
