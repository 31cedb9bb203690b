"""Shared services that own tables: who is asking, who may, audit, jobs, idempotency, notices, the way out over HTTP."""
