"""Queues: is a level reached before the system is empty, does a customer wait long?"""
