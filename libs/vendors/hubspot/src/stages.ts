import type { Sdk } from './sdk';
import { typeIdOf } from './answering';

/** The property that names a record's pipeline, by its type. */
const pipelineOf: Readonly<Record<string, string>> = { deal: 'pipeline', ticket: 'hs_pipeline' };

const KEPT_MS = 60_000;

type Stages = Readonly<Record<string, string>>;

/** The stages of a portal's pipelines: asked for at most once a minute. */
export class PortalStages {
  private readonly kept = new Map<string, { until: number; pipelines: Promise<Map<string, Stages>> }>();

  constructor(private readonly client: Sdk) {}

  /** Ids of the stages of a record's pipeline, by their names; none where it is in no pipeline. */
  async of(type: string, properties: Readonly<Record<string, string | null>>): Promise<Stages> {
    const pipeline = properties[pipelineOf[type] ?? ''];
    return (pipeline && (await this.pipelines(type)).get(pipeline)) || {};
  }

  private pipelines(type: string): Promise<Map<string, Stages>> {
    const kept = this.kept.get(type);
    if (kept && kept.until > performance.now()) return kept.pipelines;
    const pipelines = this.read(type);
    this.kept.set(type, { until: performance.now() + KEPT_MS, pipelines });
    pipelines.catch(() => this.kept.delete(type));
    return pipelines;
  }

  private async read(type: string): Promise<Map<string, Stages>> {
    const { results } = await this.client.crm.pipelines.pipelinesApi.getAll(typeIdOf(type));
    return new Map(
      results.map(({ id, stages }) => [id, Object.fromEntries(stages.map((stage) => [stage.label, stage.id]))]),
    );
  }
}
