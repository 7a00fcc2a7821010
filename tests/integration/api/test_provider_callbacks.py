"""Where vendors tell that a job has changed."""


async def test_an_address_that_was_never_given_is_unknown(api):
    for path in ("/hooks/art/nonsense", f"/hooks/art/{'0' * 64}", "/hooks/other/x"):
        (await api.post(path, data=b"{}")).problem(404, "unknown_hook")


async def test_a_task_that_has_no_job_has_no_address(api):
    task = (await api.submit()).json["id"].replace("-", "")
    (await api.post(f"/hooks/art/{task}{task}", data=b"{}")).problem(404, "unknown_hook")
