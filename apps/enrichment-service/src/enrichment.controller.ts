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
}
