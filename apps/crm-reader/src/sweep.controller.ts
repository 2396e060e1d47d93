import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Topic } from '#libs/contracts';
import { ServiceRuntime } from '#libs/process';

/** Names the topic that crm-reader reads: its own, by which the parts of a sweep tell each other. */
@Controller()
export class SweepController {
  constructor(private readonly runtime: ServiceRuntime) {}

  @EventPattern(Topic.sweep)
  sweeps(_record: unknown) {
    return this.runtime.handlerFor(Topic.sweep);
  }
}
