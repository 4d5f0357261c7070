"""Operations as Medplum defines them: https://www.medplum.com/docs/scheduling"""
