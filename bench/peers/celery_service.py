"""A generation service of the usual shape: FastAPI, a SQLAlchemy session, and Celery on Redis.

`python -m bench.peers.celery_service` serves HTTP; `celery -A bench.peers.celery_service:queue worker` works. It
has no attempts, no events, no idempotency, no leases and no webhooks.
"""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import uvicorn
from celery import Celery
from celery.signals import worker_process_init
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, DateTime, Text, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

DATABASE = os.environ["GENPULSE_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
engine = create_engine(DATABASE, pool_size=20)
sessions = sessionmaker(engine, expire_on_commit=False)
queue = Celery("usual", broker=os.environ["GENPULSE_REDIS__URL"], backend=os.environ["GENPULSE_REDIS__URL"])
queue.conf.task_acks_late = True


class Base(DeclarativeBase):
    """Of all tables."""


class Task(Base):
    __tablename__ = "usual_tasks"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    model: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, index=True, default="queued")
    input: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


Base.metadata.create_all(engine)


class Order(BaseModel):
    model: str
    input: dict[str, Any]


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    model: str
    status: str
    input: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@worker_process_init.connect
def forget_connections(**_: object) -> None:
    engine.dispose(close=False)


@queue.task(name="generate")
def generate(task_id: str) -> None:
    with sessions() as session:
        task = session.get_one(Task, uuid.UUID(task_id))
        task.status, task.started_at = "running", datetime.now(UTC)
        session.commit()
        task.status, task.finished_at = "succeeded", datetime.now(UTC)
        session.commit()


def session() -> Iterator[Session]:
    with sessions() as opened:
        yield opened


app = FastAPI()


@app.post("/v1/tasks", status_code=202)
def submit(order: Order, opened: Annotated[Session, Depends(session)]) -> TaskOut:
    task = Task(model=order.model, input=order.input, created_at=datetime.now(UTC))
    opened.add(task)
    opened.commit()
    generate.delay(str(task.id))
    return TaskOut.model_validate(task)


if __name__ == "__main__":
    uvicorn.run(app, port=0, access_log=False)
