import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Topic } from '#libs/contracts';
import { ServiceRuntime } from '#libs/process';
import { ShapeAlerts } from './shape-alerts';

/** Names the topic that crm-reader reads: its own, by which the parts of a sweep tell each other. */
@Controller()
export class SweepController {
  constructor(
    private readonly runtime: ServiceRuntime,
    private readonly alerts: ShapeAlerts,
  ) {}

  @EventPattern(Topic.sweep)
  sweeps(_record: unknown) {
    return this.alerts.over(this.runtime.handlerFor(Topic.sweep));
  }
}
