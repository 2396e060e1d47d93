import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from './logging';
import { countRefusal } from './metrics';
import { problemOf } from './problem';
import { noteOnRequest } from './request-line';

/** Answers every error as `application/problem+json` and counts it; bugs are logged in full and told in none. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    if (problem.kind === 'bug') this.logger.error({ err: error, code: problem.code }, 'a request met a bug');
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    noteOnRequest(request, { code: problem.code });
    countRefusal(request.route, problem.code);
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return;
    // A door that knows a sender with a unit of its own has set it already.
    if (problem.retryAfterSeconds !== undefined && !reply.hasHeader('retry-after'))
      reply.header('retry-after', String(problem.retryAfterSeconds));
    // Sent as bytes: Fastify adds a charset to text, and this media type has none.
    void reply
      .status(problem.status)
      .type('application/problem+json')
      .send(Buffer.from(JSON.stringify(problem)));
  }
}
