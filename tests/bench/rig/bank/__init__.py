"""A bank under fire: people who send money while what serves them is killed, and the proof after.

``size``        how much of it
``tally``       what was asked, what was answered, and what may be said of everybody's money
``people``      who they are: accounts at the identity process, tokens, money
``clients``     sending, and sending again with the same key until there is an answer
``killing``     kill -9, by pid, of processes of this one sandbox
``witnesses``   looking at everybody's money all the time, from inside and from outside
``followers``   subscribers of ``accountEvents`` that come back with their cursor
``proof``       what has to be true when it is quiet again
``storm``       all of it together
"""
