import type { FastifyInstance } from 'fastify';
import { refuse } from '../frame/control.ts';
import { isObject, objectOf, textOf } from '../frame/json.ts';
import { adopt } from '../frame/switches.ts';
import type { IdempotencyKeys } from './renders/idempotency.ts';
import type { RenderStore } from './renders/render-store.ts';
import { VARIABLE_TYPES, type Templates, type VariableType } from './templates.ts';
import { CALLBACK_SIGNATURES, type CallbackSender } from './webhooks/callback-sender.ts';

export interface ControlledHeygen {
  store: RenderStore;
  sender: CallbackSender;
  templates: Templates;
  keys: IdempotencyKeys;
}

export function addHeygenControl(app: FastifyInstance, { store, sender, templates, keys }: ControlledHeygen): void {
  app.get('/_sandbox/billing', async () => store.billing());
  app.get('/_sandbox/renders', async () => ({ renders: store.newestFirst() }));
  app.post('/_sandbox/render-outcomes', async (request, reply) => {
    const problem = store.plan(request.body);
    return problem === undefined ? { outcomes: store.outcomes } : refuse(reply, problem);
  });
  app.delete('/_sandbox/render-outcomes', async (_request, reply) => {
    store.outcomes = [];
    return reply.code(204).send();
  });
  app.get('/_sandbox/callbacks', async () => sender.switches);
  app.put('/_sandbox/callbacks', async (request, reply) => {
    const body = objectOf(request.body);
    if (body['signature'] !== undefined && !CALLBACK_SIGNATURES.includes(String(body['signature'])))
      return refuse(reply, `signature: one of ${CALLBACK_SIGNATURES.join(', ')}`);
    if (typeof body['lost'] === 'boolean') body['lost'] = body['lost'] ? -1 : 0;
    const problem = adopt(sender.switches, body);
    return problem === undefined ? sender.switches : refuse(reply, problem);
  });
  app.post('/_sandbox/renders/:id/callback', async (request, reply) => {
    const render = store.renders.get((request.params as { id: string }).id);
    if (render === undefined) return refuse(reply, 'no such render');
    return { results: await sender.tellNow(render) };
  });
  app.post('/_sandbox/renders/:id/finish', async (request, reply) => {
    const render = store.renders.get((request.params as { id: string }).id);
    if (render === undefined) return refuse(reply, 'no such render');
    store.finish(render);
    return render;
  });
  app.get('/_sandbox/settings', async () => ({ ...store.settings, idempotencyLifeMs: keys.lifeMs }));
  app.put('/_sandbox/settings', async (request, reply) => {
    const settings = { ...store.settings, idempotencyLifeMs: keys.lifeMs };
    const problem = adopt(settings, objectOf(request.body));
    if (problem !== undefined) return refuse(reply, problem);
    const { idempotencyLifeMs, ...rest } = settings;
    keys.lifeMs = idempotencyLifeMs;
    Object.assign(store.settings, rest);
    return settings;
  });
  app.post('/_sandbox/templates', async (request, reply) => {
    const { id, name, variables, aspectRatio } = objectOf(request.body);
    const key = textOf(id);
    if (key === undefined || !isObject(variables)) return refuse(reply, 'id and variables {name: type} are needed');
    if (!Object.values(variables).every((type) => VARIABLE_TYPES.includes(type as VariableType)))
      return refuse(reply, `variable types: ${VARIABLE_TYPES.join(', ')}`);
    const made = templates.add(
      key,
      textOf(name) ?? key,
      variables as Record<string, VariableType>,
      textOf(aspectRatio),
    );
    return reply.code(201).send({ ...made, variables: Object.fromEntries(made.variables) });
  });
}
