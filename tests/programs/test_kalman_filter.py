"""State space models: a Kalman filter and smoother, and an extended filter, as classes."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

import tangent_like as tl


class Gaussian(NamedTuple):
    mean: np.ndarray
    cov: np.ndarray

    def log_density(self, x):
        difference = x - self.mean
        _, log_det = np.linalg.slogdet(self.cov)
        distance = difference @ np.linalg.solve(self.cov, difference)
        return -0.5 * (distance + log_det + len(x) * math.log(2.0 * math.pi))


@dataclass
class Model:
    F: np.ndarray
    H: np.ndarray
    Q: np.ndarray
    R: np.ndarray

    @classmethod
    def constant_velocity(cls, dt, process_noise, measurement_noise):
        F = np.array([[1.0, dt], [0.0, 1.0]])
        G = np.array([[0.5 * dt**2], [dt]])
        return cls(F, np.array([[1.0, 0.0]]), process_noise * G @ G.T,
                   measurement_noise * np.eye(1))  # fmt: skip

    def predict(self, state):
        return Gaussian(self.F @ state.mean, self.F @ state.cov @ self.F.T + self.Q)

    def observe(self, state):
        return Gaussian(self.H @ state.mean, self.H @ state.cov @ self.H.T + self.R)


class KalmanFilter:
    def __init__(self, model, prior):
        self.model = model
        self.state = prior
        self.history = []
        self.log_likelihood = 0.0

    def step(self, z):
        predicted = self.model.predict(self.state)
        if z is None:
            self.state = predicted
        else:
            expected = self.model.observe(predicted)
            self.log_likelihood += expected.log_density(z)
            self.state = self._correct(predicted, expected, z)
        self.history.append((predicted, self.state))

    def _correct(self, predicted, expected, z):
        gain = np.linalg.solve(expected.cov, self.model.H @ predicted.cov).T
        mean = predicted.mean + gain @ (z - expected.mean)
        cov = predicted.cov - gain @ expected.cov @ gain.T
        return predicted._replace(mean=mean, cov=0.5 * (cov + cov.T))

    def run(self, measurements):
        for z in measurements:
            self.step(z)
        return self

    def smooth(self):
        """Rauch, Tung and Striebel: back from the last state."""
        smoothed = [self.history[-1][1]]
        for (_, filtered), (ahead, _) in zip(self.history[-2::-1], self.history[:0:-1]):
            gain = np.linalg.solve(ahead.cov, self.model.F @ filtered.cov).T
            later = smoothed[-1]
            mean = filtered.mean + gain @ (later.mean - ahead.mean)
            cov = filtered.cov + gain @ (later.cov - ahead.cov) @ gain.T
            smoothed.append(Gaussian(mean, cov))
        smoothed.reverse()
        return smoothed


def prior(spread=1.0):
    return Gaussian(np.zeros(2), spread * np.eye(2))


def log_likelihood(theta, measurements):
    q, r = np.exp(theta)
    model = Model.constant_velocity(0.5, q, r)
    return KalmanFilter(model, prior()).run(measurements).log_likelihood


def roughness(q, r, spread, measurements):
    model = replace(Model.constant_velocity(0.5, q, 1.0), R=r * np.eye(1))
    states = KalmanFilter(model, prior(spread)).run(measurements).smooth()
    jumps = [b.mean[0] - a.mean[0] for a, b in zip(states, states[1:])]
    return sum(jump**2 for jump in jumps) + states[0].cov[0, 0]


def pendulum_filter(length, noise, angles, dt=0.1):
    """An extended filter, whose matrices are derivatives taken by hand at each state."""
    angle, speed = 0.3, 0.0
    P = [[0.1, 0.0], [0.0, 0.1]]
    score = 0.0
    for z in angles:
        # predict
        slope = -9.81 / length * math.cos(angle)
        angle, speed = angle + dt * speed, speed - dt * 9.81 / length * math.sin(angle)
        J = [[1.0, dt], [dt * slope, 1.0]]
        JP = [[sum(J[i][k] * P[k][j] for k in range(2)) for j in range(2)] for i in range(2)]
        P = [[sum(JP[i][k] * J[j][k] for k in range(2)) for j in range(2)] for i in range(2)]
        P[0][0] += 1e-3
        P[1][1] += 1e-2
        # correct
        s = P[0][0] + noise
        gain = [row[0] / s for row in P]
        surprise = z - angle
        score += 0.5 * (surprise**2 / s + math.log(s))
        angle += gain[0] * surprise
        speed += gain[1] * surprise
        P = [[P[i][j] - gain[i] * P[0][j] for j in range(2)] for i in range(2)]
    return score


def measurements(rng, n):
    positions = np.cumsum(0.4 + 0.1 * rng.normal(size=n))
    return [np.array([p + 0.2 * rng.normal()]) for p in positions]


def test_the_gradient_of_the_likelihood():
    zs = measurements(np.random.default_rng(1), 6)
    tl.check_grads(lambda theta: log_likelihood(theta, zs), (np.array([-0.5, -1.0]),))


def test_the_gradient_by_the_measurements():
    """As the rows of an array, whose number is known only when the derivative is called."""
    zs = np.stack(measurements(np.random.default_rng(5), 4))
    tl.check_grads(log_likelihood, (np.array([-0.5, -1.0]), zs))


def test_missing_measurements():
    zs = measurements(np.random.default_rng(2), 5)
    zs[2] = None
    tl.check_grads(lambda theta: log_likelihood(theta, zs), (np.array([-0.5, -1.0]),))


def test_the_gradient_of_the_smoother():
    zs = measurements(np.random.default_rng(4), 5)
    tl.check_grads(lambda q, r, spread: roughness(q, r, spread, zs), (0.5, 0.3, 1.2))


def test_the_extended_filter():
    angles = [0.28, 0.2, 0.05, -0.1, -0.22]
    tl.check_grads(lambda length, noise: pendulum_filter(length, noise, angles), (1.1, 0.02))
