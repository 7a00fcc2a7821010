"""A task API of the usual shape: FastAPI, pydantic, a SQLAlchemy session a request, a row and a queue row."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Identity, Text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = os.environ["GENPULSE_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://").partition("?")[0]
engine = create_async_engine(URL, pool_size=20, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """Of all tables."""


class Task(Base):
    __tablename__ = "orm_tasks"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    model: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, index=True, default="queued")
    input: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Entry(Base):
    __tablename__ = "orm_queue"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    task_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orm_tasks.id"), index=True)
    status: Mapped[str] = mapped_column(Text, default="queued")


class Order(BaseModel):
    model: str
    input: dict[str, Any]


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    model: str
    kind: str
    status: str
    input: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/tasks", status_code=202)
async def submit(order: Order, opened: Annotated[AsyncSession, Depends(session)]) -> TaskOut:
    task = Task(model=order.model, kind="any", input=order.input, created_at=datetime.now(UTC))
    opened.add(task)
    await opened.flush()
    opened.add(Entry(task_id=task.id))
    await opened.commit()
    return TaskOut.model_validate(task)


if __name__ == "__main__":
    uvicorn.run(app, port=0, access_log=False)
