"""The one judgement of how the service is doing: for `status`, the digest, metrics and the heartbeat."""

from bounce_watch.pipeline.health.judge import for_digest, judge_health, judge_mailboxes, worst
from bounce_watch.pipeline.health.line import Level, Line
from bounce_watch.pipeline.health.sending import judge_sending
